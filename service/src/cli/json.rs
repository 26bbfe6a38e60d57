use bucketry_contract::DESCRIPTOR_SET;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use super::CliError;

/// A message of the contract in protobuf's JSON mapping, indented, with the fields that have their default value, so
/// that a script finds each of them. `name` is the message's name within `bucketry.v1`.
pub(super) fn json(message: &impl Message, name: &str) -> Result<String, CliError> {
    serialize(message, name).map_err(CliError::Json)
}

fn serialize(message: &impl Message, name: &str) -> Result<String, String> {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).map_err(|error| error.to_string())?;
    let descriptor = pool
        .get_message_by_name(&format!("bucketry.v1.{name}"))
        .ok_or_else(|| format!("no message {name}"))?;
    let bytes = message.encode_to_vec();
    let dynamic =
        DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::pretty(&mut text);
    dynamic
        .serialize_with_options(
            &mut serializer,
            &SerializeOptions::new().skip_default_fields(false),
        )
        .map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use bucketry_contract::v1::{Permission, Token};
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn the_contracts_json_names() {
        let token = Token {
            token_id: "t1".into(),
            permission: Permission::ReadOnly.into(),
            version: 7,
            create_time: Some(Timestamp {
                seconds: 1_700_000_000,
                nanos: 0,
            }),
            ..Token::default()
        };
        let value: serde_json::Value =
            serde_json::from_str(&json(&token, "Token").unwrap()).unwrap();
        assert_eq!(value["tokenId"], "t1");
        assert_eq!(value["permission"], "PERMISSION_READ_ONLY");
        assert_eq!(value["version"], "7");
        assert_eq!(value["createTime"], "2023-11-14T22:13:20Z");
        assert_eq!(value["allowedIps"], serde_json::json!([]));
        assert!(value.get("expireTime").is_none());
    }

    #[test]
    fn an_unknown_message_is_an_error() {
        assert!(matches!(
            json(&Token::default(), "Nothing"),
            Err(CliError::Json(_))
        ));
    }
}
