//! The table's creation, for development and tests.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
    TimeToLiveStatus,
};

use crate::STORE;
use crate::failure::store_error;
use crate::layout::Layout;
use crate::limits::TABLE_WAIT_SECONDS;
use sealed_session::store::StoreError;

pub(crate) async fn create(client: &Client, layout: &Layout) -> Result<(), StoreError> {
    create_table(client, layout).await?;
    let exists = client.wait_until_table_exists().table_name(layout.table());
    exists.wait(Duration::from_secs(TABLE_WAIT_SECONDS)).await.map_err(|error| {
        StoreError::unavailable(STORE, format!("the table `{}` is not ready: {error}", layout.table()))
    })?;
    turn_on_time_to_live(client, layout).await
}

async fn create_table(client: &Client, layout: &Layout) -> Result<(), StoreError> {
    let key = AttributeDefinition::builder().attribute_name(layout.key()).attribute_type(ScalarAttributeType::B);
    let partition = KeySchemaElement::builder().attribute_name(layout.key()).key_type(KeyType::Hash);
    let created = client
        .create_table()
        .table_name(layout.table())
        .attribute_definitions(key.build().map_err(|error| StoreError::other(STORE, error))?)
        .key_schema(partition.build().map_err(|error| StoreError::other(STORE, error))?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await;
    match created {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(context)) if context.err().is_resource_in_use_exception() => Ok(()),
        Err(error) => Err(store_error(error, layout)),
    }
}

/// The service refuses to turn on what is on.
async fn turn_on_time_to_live(client: &Client, layout: &Layout) -> Result<(), StoreError> {
    let answer = client.describe_time_to_live().table_name(layout.table()).send().await;
    let standing = answer.map_err(|error| store_error(error, layout))?.time_to_live_description;
    let on = standing.filter(|standing| {
        matches!(standing.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
    });
    if let Some(on) = on {
        if on.attribute_name.as_deref() == Some(layout.expiry()) {
            return Ok(());
        }
        return Err(StoreError::other(
            STORE,
            format!(
                "the table `{}` has another time-to-live attribute: turn that off, or give its name to \
                 `expiry_attribute`",
                layout.table()
            ),
        ));
    }
    let on = TimeToLiveSpecification::builder().attribute_name(layout.expiry()).enabled(true);
    let on = on.build().map_err(|error| StoreError::other(STORE, error))?;
    let answer = client.update_time_to_live().table_name(layout.table()).time_to_live_specification(on).send().await;
    answer.map(|_| ()).map_err(|error| store_error(error, layout))
}
