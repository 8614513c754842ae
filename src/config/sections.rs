//! The sections: which settings each has, as [`every_setting`] or its struct declares them.

use super::keys::KeySection;
use super::setting::{Checked, Setting, Visit};
use super::values::OrNone;
use super::{Config, is_store_name};
use crate::cookie::CookieAttributes;
use crate::limits;
use crate::seal::Lifetimes;
use crate::settings::{EarlierContext, Settings, Sizes, every_setting};

macro_rules! visit {
    (apart $($rest:tt)*) => {};
    ($kind:ident $visit:ident, $name:ident, $value:expr) => {
        $visit(stringify!($name), $value);
    };
    ($kind:ident $visit:ident, $name:ident, $value:expr, $expected:literal, $holds:expr) => {
        $visit(stringify!($name), &mut Checked { value: $value, expected: $expected, holds: $holds });
    };
}

macro_rules! sections {
    ($($group:ident at $place:tt {
        $($(#[$doc:meta])* $vis:vis $kind:ident $name:ident: $type:ty = $default:expr
            $(, $expected:literal if $holds:expr)?;)*
    })*) => {$(
        impl Setting for $group {
            fn each(&mut self, visit: &mut Visit<'_>) {
                $(visit!($kind visit, $name, &mut self.$name $(, $expected, $holds)?);)*
            }
        }
    )*};
}
every_setting!(sections);

/// The fields of a struct. A field that is left out does not compile.
macro_rules! fields {
    ($type:ident: $($name:ident),+) => {
        impl Setting for $type {
            fn each(&mut self, visit: &mut Visit<'_>) {
                let Self { $($name),+ } = self;
                $(visit(stringify!($name), $name);)+
            }
        }
    };
}
fields!(CookieAttributes: name, path, domain, secure, http_only, same_site, partitioned);
fields!(EarlierContext: cookie_name, audience);

impl Setting for Lifetimes {
    fn each(&mut self, visit: &mut Visit<'_>) {
        let Self { idle_timeout, absolute_timeout, remember_max } = self;
        visit("idle_timeout", idle_timeout);
        let mut or_none = OrNone(*absolute_timeout);
        visit("absolute_timeout", &mut or_none);
        *absolute_timeout = or_none.0;
        visit("remember_max", remember_max);
    }
}

impl Setting for Config {
    fn each(&mut self, visit: &mut Visit<'_>) {
        let Self { settings, store, rolling, keys } = self;
        let expected = "`cookie`, or the name of a registered store: letters, digits, `_` and `-`, 64 at most";
        visit("store", &mut Checked { value: store, expected, holds: |name| is_store_name(name) });
        visit("rolling", rolling);
        settings.each(visit);
        visit("keys", &mut KeySection { keys, grace: &mut settings.key_grace });
    }
}
