//! Annotations that the real contract does not use yet.

use bucketry_s3_generator::Generated;
use serde_json::Value;

use crate::contract;

fn table(rpcs: &str, messages: &str) -> (Generated, Value) {
    let generated = Generated::from_descriptor_set(&contract::small(rpcs, messages)).unwrap();
    let table = serde_json::from_str(&generated.golden_table()).unwrap();
    (generated, table)
}

const ACCESS: &str = "option (bucketry.access.v1.access) = {class: ACCESS_CLASS_READ};";

#[test]
fn a_comma_list_is_read_item_by_item() {
    let rpcs = format!(
        "rpc GetThing(GetThingRequest) returns (GetThingResponse) {{ {ACCESS}
            option (bucketry.s3.v1.binding) = {{operation: \"GetThing\" method: HTTP_METHOD_GET target: TARGET_BUCKET}}; }}"
    );
    let messages = "message GetThingRequest {
            repeated Kind kinds = 1 [(bucketry.s3.v1.field) = {header: \"x-kinds\", form: FORM_COMMA_LIST}];
        }
        message GetThingResponse { }
        enum Kind { KIND_UNSPECIFIED = 0; KIND_ODD = 1 [(bucketry.s3.v1.text) = \"Odd\"]; }";
    let (generated, table) = table(&rpcs, messages);
    assert_eq!(table["operations"][0]["request"][0]["kind"], "comma list");
    let source = generated.adapter_source();
    assert!(
        source.contains("for item in decode::comma_list(&value)"),
        "{source}"
    );
    let read = "text if text.eq_ignore_ascii_case(\"Odd\") => Some(1)";
    assert!(source.contains(read), "{source}");
}

/// A contract with one sub-resource.
fn operations(delete: &str) -> Vec<String> {
    let rpcs = format!(
        "rpc GetThing(GetThingRequest) returns (GetThingResponse) {{ {ACCESS} }}
        rpc UpdateThing(UpdateThingRequest) returns (UpdateThingResponse) {{ {ACCESS} }}"
    );
    let messages = format!(
        "message Thing {{
            option (bucketry.s3.v1.resource) = {{target: TARGET_BUCKET get: \"GetThing\" get_field: \"thing\"
                update: \"UpdateThing\" update_field: \"thing\" mask_field: \"mask\" identify: \"name\"}};
            string name = 1 [(bucketry.s3.v1.field) = {{label: LABEL_BUCKET}}];
            State state = 2 [
                (bucketry.s3.v1.sub_resource) = {{query: \"state\" name: \"ThingState\" xml: \"State\" delete: \"{delete}\"}},
                (bucketry.access.v1.update_access) = {{set: ACCESS_CLASS_WRITE clear: ACCESS_CLASS_DELETE}}
            ];
        }}
        message State {{ string status = 1 [(bucketry.s3.v1.field) = {{xml: \"Status\"}}]; }}
        message Mask {{ repeated string paths = 1; }}
        message GetThingRequest {{ string bucket = 1 [(bucketry.s3.v1.field) = {{label: LABEL_BUCKET}}]; }}
        message GetThingResponse {{ Thing thing = 1; }}
        message UpdateThingRequest {{ Thing thing = 1; Mask mask = 2; }}
        message UpdateThingResponse {{ Thing thing = 1; }}"
    );
    let (_, table) = table(&rpcs, &messages);
    let rows = table["operations"].as_array().unwrap();
    rows.iter()
        .map(|row| row["operation"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_sub_resource_may_have_another_delete_or_none() {
    assert_eq!(
        operations(""),
        ["DeleteThingState", "GetThingState", "PutThingState"]
    );
    assert_eq!(operations("-"), ["GetThingState", "PutThingState"]);
    assert_eq!(
        operations("DeleteThing"),
        ["DeleteThing", "GetThingState", "PutThingState"]
    );
}

/// Everything that is written for an operation with this binding, in a service with these options.
fn written(service: &str, binding: &str) -> [String; 2] {
    let rpcs = format!(
        "{service} rpc GetThing(GetThingRequest) returns (GetThingResponse) {{ {ACCESS}
            option (bucketry.s3.v1.binding) = {{operation: \"GetThing\" method: HTTP_METHOD_GET target: TARGET_BUCKET
                response_xml: \"Thing\" {binding}}}; }}"
    );
    let messages = "message GetThingRequest { string bucket = 1; string kind = 2; }
        message GetThingResponse { string kind = 1; string owner = 2; Detail detail = 3; }
        message Detail { string text = 1; }";
    let set = contract::small(&rpcs, messages);
    let generated = Generated::from_descriptor_set(&set).unwrap();
    [generated.golden_table(), generated.adapter_source()]
}

#[test]
fn a_profile_is_the_same_as_its_lists_written_out() {
    let bucket = "request: {field: \"bucket\" as: {label: LABEL_BUCKET}}";
    let kind = "request: {field: \"kind\" as: {query: \"kind\"}}";
    let named = "status_when: {field: \"detail\" status: 206}
        response: {field: \"kind\" as: {xml: \"Kind\"}}
        response_only: \"kind\"
        derived: {xml: \"First\" rule: DERIVED_RULE_CONSTANT value: \"1\"}
        override: {query: \"response-first\" header: \"first\"}";
    let owned = "response: {field: \"owner\" as: {xml: \"Owner\"}}
        response_only: \"owner\"
        derived: {xml: \"Second\" rule: DERIVED_RULE_CONSTANT value: \"2\"}
        override: {query: \"response-second\" header: \"second\"}";
    let own = "derived: {xml: \"Third\" rule: DERIVED_RULE_CONSTANT value: \"3\"}";
    let profiles = format!(
        "option (bucketry.s3.v1.profile) = {{name: \"named\" {bucket} {named}}};
        option (bucketry.s3.v1.profile) = {{name: \"owned\" {kind} {owned}}};"
    );
    assert_eq!(
        written(
            &profiles,
            &format!("{own} profile: \"named\" profile: \"owned\"")
        ),
        written("", &format!("{bucket} {named} {kind} {owned} {own}"))
    );
}
