//! What an application is answered that has no session where a form looks for one. Where that is checked at launch, it does not
//! launch.

use super::layers::Layered;
use super::{Application, Request, manager, post};

/// A framework with forms, whose sessions are layers around its pages.
pub(crate) trait LayeredForms: Layered {
    /// What the answer names where there is no session.
    const MISSING_SESSION: &'static str;
    /// What it names where there is none with the marker.
    const MISSING_MARKED_SESSION: &'static str;
}

fn comment(path: &str) -> Request {
    post(path).form("text=hello&stars=5")
}

pub(crate) fn a_form_without_the_session_layer_names_the_missing_call<S: LayeredForms>() {
    let answer = S::new(Application::default()).send(comment("/comment"));
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains(S::MISSING_SESSION), "{}", answer.text);
}

pub(crate) fn a_marked_form_without_its_session_layer_names_the_missing_call<S: LayeredForms>() {
    for application in [Application::default(), Application::new(manager())] {
        let answer = S::new(application).send(comment("/administration/comment"));
        assert_eq!(answer.status, 500);
        assert!(answer.text.contains(S::MISSING_MARKED_SESSION), "{}", answer.text);
    }
}
