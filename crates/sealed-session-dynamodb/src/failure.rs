//! The SDK's errors as the store's.

use std::error::Error as StdError;

use aws_sdk_dynamodb::Error;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::STORE;
use crate::layout::{Item, Layout};
use sealed_session::store::StoreError;

/// What stood in the way of a write whose condition did not hold; any other failure is an error.
pub(crate) fn refusal<E, R>(error: SdkError<E, R>, layout: &Layout) -> Result<Option<Item>, StoreError>
where
    Error: From<E>,
    E: StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => match Error::from(context.into_err()) {
            Error::ConditionalCheckFailedException(refusal) => Ok(refusal.item),
            error => Err(answered(&error, layout)),
        },
        error => Err(unanswered(&error)),
    }
}

pub(crate) fn store_error<E, R>(error: SdkError<E, R>, layout: &Layout) -> StoreError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(context) => answered(context.err(), layout),
        error => unanswered(&error),
    }
}

/// Security: the error's code and message alone; its debug form has the item.
fn answered(error: &impl ProvideErrorMetadata, layout: &Layout) -> StoreError {
    let (code, message) = (error.code().unwrap_or("no code"), error.message().unwrap_or("no message"));
    match code {
        "ResourceNotFoundException" => StoreError::other(
            STORE,
            format!(
                "{code}: {message}: make the table `{}` in the client's region, as the guide defines it, or call \
                 `DynamoDbStore::create_table`",
                layout.table()
            ),
        ),
        // What passes, once what the client was told to repeat has been repeated.
        "InternalServerError"
        | "ProvisionedThroughputExceededException"
        | "ReplicatedWriteConflictException"
        | "RequestLimitExceeded"
        | "ServiceUnavailable"
        | "ThrottlingException"
        | "TransactionConflictException" => StoreError::unavailable(STORE, format!("{code}: {message}")),
        _ => StoreError::other(STORE, format!("{code}: {message}")),
    }
}

/// The causes, from the outermost on.
fn unanswered<E, R>(error: &SdkError<E, R>) -> StoreError
where
    E: StdError + 'static,
    R: std::fmt::Debug,
{
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    match error {
        SdkError::ConstructionFailure(_) => StoreError::other(STORE, text),
        _ => StoreError::unavailable(STORE, text),
    }
}
