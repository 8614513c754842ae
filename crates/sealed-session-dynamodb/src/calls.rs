//! The calls, each as one request with its condition.

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use crate::DynamoDbStore;
use crate::failure::{refusal, store_error};
use crate::layout::{DATA, Item, VERSION, binary, data, number, seconds};
use crate::retry::answered_only;
use sealed_session::Timestamp;
use sealed_session::store::{Created, Record, RecordId, StoreError, Updated};

pub(crate) async fn load(store: &DynamoDbStore, id: &RecordId) -> Result<Option<Record>, StoreError> {
    let now = store.clock.now();
    let get = store.client.get_item().table_name(store.layout.table()).consistent_read(true);
    let answer = get.key(store.layout.key(), binary(id)).send().await;
    let item = answer.map_err(|error| store_error(error, &store.layout))?.item;
    living(store, item, now)
}

pub(crate) async fn create(store: &DynamoDbStore, id: &RecordId, record: Record) -> Result<Created, StoreError> {
    let put = put(store, id, record)?
        .condition_expression("attribute_not_exists(#id) OR #expires_at <= :now")
        .expression_attribute_names("#id", store.layout.key())
        .expression_attribute_names("#expires_at", store.layout.expiry())
        .expression_attribute_values(":now", seconds(store.clock.now()));
    match put.customize().config_override(answered_only()).send().await {
        Ok(_) => Ok(Created::Created),
        Err(error) => refusal(error, &store.layout).map(|_| Created::Exists),
    }
}

pub(crate) async fn update(
    store: &DynamoDbStore,
    id: &RecordId,
    record: Record,
    expected_version: u64,
) -> Result<Updated, StoreError> {
    let now = store.clock.now();
    let put = put(store, id, record)?
        .condition_expression("#version = :expected AND #expires_at > :now")
        .expression_attribute_names("#version", VERSION)
        .expression_attribute_names("#expires_at", store.layout.expiry())
        .expression_attribute_values(":expected", number(expected_version))
        .expression_attribute_values(":now", seconds(now))
        .return_values_on_condition_check_failure(AllOld);
    match put.customize().config_override(answered_only()).send().await {
        Ok(_) => Ok(Updated::Updated),
        Err(error) => Ok(match living(store, refusal(error, &store.layout)?, now)? {
            Some(_) => Updated::Conflict,
            None => Updated::Missing,
        }),
    }
}

pub(crate) async fn touch(store: &DynamoDbStore, id: &RecordId, expires_at: Timestamp) -> Result<bool, StoreError> {
    let now = store.clock.now();
    let touch = store
        .client
        .update_item()
        .table_name(store.layout.table())
        .key(store.layout.key(), binary(id))
        .update_expression("SET #expires_at = :later")
        .condition_expression("#expires_at > :now AND #expires_at < :later")
        .expression_attribute_names("#expires_at", store.layout.expiry())
        .expression_attribute_values(":later", seconds(expires_at))
        .expression_attribute_values(":now", seconds(now))
        .return_values_on_condition_check_failure(AllOld);
    match touch.send().await {
        Ok(_) => Ok(true),
        // It expires later than that already, or does not exist.
        Err(error) => Ok(living(store, refusal(error, &store.layout)?, now)?.is_some()),
    }
}

pub(crate) async fn destroy(store: &DynamoDbStore, id: &RecordId) -> Result<(), StoreError> {
    let delete = store.client.delete_item().table_name(store.layout.table()).key(store.layout.key(), binary(id));
    delete.send().await.map(|_| ()).map_err(|error| store_error(error, &store.layout))
}

fn put(store: &DynamoDbStore, id: &RecordId, record: Record) -> Result<PutItemFluentBuilder, StoreError> {
    let data = data(record.bytes)?;
    Ok(store
        .client
        .put_item()
        .table_name(store.layout.table())
        .item(store.layout.key(), binary(id))
        .item(VERSION, number(record.version))
        .item(store.layout.expiry(), seconds(record.expires_at))
        .item(DATA, data))
}

/// The item's record, unless it has expired.
fn living(store: &DynamoDbStore, item: Option<Item>, now: Timestamp) -> Result<Option<Record>, StoreError> {
    let record = item.map(|item| store.layout.record(item)).transpose()?;
    Ok(record.filter(|record| now < record.expires_at))
}
