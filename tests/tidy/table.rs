//! Who may import whom: the one-way flow of the crate, as a table.

/// A room (a file or folder directly below `src`) and the rooms that it may import, each of which stands above it.
/// `lib.rs` may import everything.
pub(crate) const ROOMS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("clock", &[]),
    ("limits", &[]),
    ("wipe", &[]),
    ("json", &["error", "limits", "wipe"]),
    ("crypto", &["error", "wipe"]),
    ("id", &["error", "crypto"]),
    ("key", &["error", "clock", "limits", "crypto", "id"]),
    ("wire", &["error", "limits", "clock", "id"]),
    ("seal", &["error", "limits", "wipe", "clock", "crypto", "id", "json", "key", "wire"]),
    ("events", &["error", "id"]),
    ("session", &["error", "clock", "limits", "wipe", "id", "json", "wire", "seal", "events"]),
    ("csrf", &["error", "clock", "crypto", "id", "key", "wire", "seal", "session"]),
    ("cookie", &["error", "limits"]),
    ("caching", &[]),
    ("settings", &["clock", "limits", "seal", "cookie"]),
    ("store", &["error", "clock", "limits", "id", "events"]),
    ("config", &["error", "clock", "limits", "key", "seal", "cookie", "settings", "store"]),
    ("key_source", &["error", "clock", "limits", "key", "events", "config"]),
    ("sealed_records", &["error", "clock", "limits", "wipe", "id", "wire", "seal", "store"]),
    (
        "manager",
        &[
            "error",
            "clock",
            "limits",
            "crypto",
            "id",
            "key",
            "wire",
            "seal",
            "events",
            "session",
            "cookie",
            "settings",
            "store",
            "sealed_records",
            "config",
        ],
    ),
    (
        "request",
        &[
            "error",
            "clock",
            "limits",
            "wipe",
            "crypto",
            "id",
            "json",
            "wire",
            "seal",
            "events",
            "session",
            "cookie",
            "caching",
            "settings",
            "store",
            "sealed_records",
            "manager",
        ],
    ),
    (
        "adapter",
        &["error", "clock", "limits", "json", "manager", "request", "csrf", "session", "store", "cookie", "events"],
    ),
    ("testing", &["error", "clock", "limits", "id", "session", "store", "manager", "request"]),
    ("guide", &[]),
];

/// Files that are one concept and longer than the others may be, with the most code lines that each of them may have.
pub(crate) const LONGER_FILES: &[(&str, usize)] = &[
    ("request/cookies.rs", 410),
    ("request/mod.rs", 420),
    ("request/write.rs", 420),
    ("json/exact.rs", 450),
    ("json/text.rs", 430),
    ("session/data.rs", 580),
    ("session/handle.rs", 490),
    ("session/state.rs", 480),
];

/// The members below `crates/`, and the crates of their engine, framework or command that each may name. A member is one
/// room, over the public API.
pub(crate) const MEMBERS: &[(&str, &[&str])] = &[
    ("sealed-session-actix-session", &["actix_session", "anyhow"]),
    ("sealed-session-cli", &["clap", "humantime", "mongodb", "sealed_session_mongodb", "sealed_session_sqlx", "tokio"]),
    ("sealed-session-dynamodb", &["aws_sdk_dynamodb"]),
    ("sealed-session-mongodb", &["mongodb"]),
    ("sealed-session-redis", &["redis"]),
    ("sealed-session-salvo", &["salvo_core"]),
    ("sealed-session-sqlx", &["sqlx"]),
    ("sealed-session-tower-sessions", &["async_trait", "http", "tower_layer", "tower_service", "tower_sessions_core"]),
];

/// Only this room reads the time.
pub(crate) const CLOCK_ROOM: &str = "clock";

/// Rooms whose modules are leaves: one engine or one framework each, imported by nothing but `lib.rs` and the room's own root.
pub(crate) const LEAF_ROOMS: &[&str] = &["store", "adapter"];

/// Modules of those rooms that are no leaves.
pub(crate) const SHARED_BY_LEAVES: &[&str] =
    &["conformance", "csrf", "extensions", "header_map", "manager_choice", "marked_session", "pause"];

/// The leaves that may import another leaf.
pub(crate) const LEAF_EXCEPTIONS: &[(&str, &str)] = &[("axum", "tower")];

/// Each module of this room is one framework's adapter, and thin.
pub(crate) const ADAPTER_ROOM: &str = "adapter";

/// Their guards against forged requests, which are counted by themselves: a session does without.
pub(crate) const ADAPTER_GUARDS: &[&str] = &[
    "adapter/actix_web/csrf.rs",
    "adapter/actix_web/form.rs",
    "adapter/axum/form.rs",
    "adapter/csrf/form.rs",
    "adapter/csrf/guard.rs",
    "adapter/poem/csrf.rs",
    "adapter/poem/form.rs",
    "adapter/rocket/csrf.rs",
    "adapter/rocket/form.rs",
    "adapter/tower/csrf.rs",
];

/// Crates, as code spells them, and the only files or folders below `src` that may name them.
pub(crate) const CRATES: &[(&[&str], &[&str])] = &[
    (
        &[
            "aes",
            "aes_gcm",
            "aws_lc_rs",
            "chacha20",
            "chacha20poly1305",
            "ctutils",
            "getrandom",
            "hkdf",
            "hmac",
            "poly1305",
            "sha2",
        ],
        &["crypto"],
    ),
    (&["arc_swap"], &["key"]),
    (&["memchr"], &["cookie", "json"]),
    (&["moka"], &["store/memory"]),
    (&["proptest"], &["store/conformance"]),
    (
        &[
            "axum_core",
            "http",
            "http_body",
            "pin_project_lite",
            "rocket",
            "serde_urlencoded",
            "tower_layer",
            "tower_service",
            "tracing",
        ],
        &["adapter"],
    ),
    (&["actix_web"], &["adapter/actix_web"]),
    (&["poem"], &["adapter/poem"]),
    (&["tokio"], &["adapter/tokio"]),
    (&["toml"], &["config"]),
];

/// Those of them that are development dependencies too: test code names them anywhere.
pub(crate) const CRATES_OF_TESTS: &[&str] = &["proptest"];
