//! Which writes may be repeated: those that the service answered, and did not do.

use aws_sdk_dynamodb::Config;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};

/// Settings of one request, over those of the application's client.
pub(crate) fn answered_only() -> Builder {
    Config::builder().retry_classifier(AnsweredOnly)
}

/// Forbids to repeat a write of which nobody knows whether it was done. Its repetition would meet its own condition, and
/// would be told that another writer was there first.
#[derive(Debug)]
struct AnsweredOnly;

impl ClassifyRetry for AnsweredOnly {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if context.output_or_error().is_none_or(|outcome| outcome.is_ok()) {
            return RetryAction::NoActionIndicated;
        }
        // 4xx: refused, throttled among them. Behind 5xx, and behind no answer at all, the write may stand.
        if context.response().is_some_and(|response| response.status().is_client_error()) {
            RetryAction::NoActionIndicated
        } else {
            RetryAction::RetryForbidden
        }
    }

    fn name(&self) -> &'static str {
        "writes that were answered"
    }
}
