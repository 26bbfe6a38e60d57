//! What the generator refuses, and by which name.

use bucketry_s3_generator::{ContractError, Generated};

use crate::contract;

const ACCESS: &str = "option (bucketry.access.v1.access) = {class: ACCESS_CLASS_READ};";
const GET: &str =
    "operation: \"GetThing\" method: HTTP_METHOD_GET target: TARGET_BUCKET query: \"thing\"";
const REQUEST: &str = "message GetThingRequest { string bucket = 1 [(bucketry.s3.v1.field) = {label: LABEL_BUCKET}]; }";

fn rpc(options: &str) -> String {
    format!("rpc GetThing(GetThingRequest) returns (GetThingResponse) {{ {options} }}")
}

fn binding(body: &str) -> String {
    format!("option (bucketry.s3.v1.binding) = {{ {body} }};")
}

fn refusal(rpcs: &str, messages: &str) -> ContractError {
    Generated::from_descriptor_set(&contract::small(rpcs, messages)).unwrap_err()
}

/// An RPC with one binding on `GET /bucket?thing`, given more of the binding and the messages.
fn bound(more: &str, messages: &str) -> ContractError {
    refusal(
        &rpc(&format!("{ACCESS} {}", binding(&format!("{GET} {more}")))),
        messages,
    )
}

#[test]
fn the_frame_of_these_tests_is_accepted() {
    let rpcs = rpc(&format!("{ACCESS} {}", binding(GET)));
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    let generated = Generated::from_descriptor_set(&contract::small(&rpcs, &messages)).unwrap();
    assert!(generated.golden_table().contains("\"GetThing\""));
}

#[test]
fn an_rpc_without_access_class() {
    let messages = "message GetThingRequest { } message GetThingResponse { }";
    let rpc_name = "bucketry.test.v1.TestService.GetThing".to_owned();
    assert_eq!(
        refusal(&rpc(""), messages),
        ContractError::NoAccessClass {
            rpc: rpc_name.clone()
        }
    );
    let unspecified = "option (bucketry.access.v1.access) = {action: \"s3:GetThing\"};";
    assert_eq!(
        refusal(&rpc(unspecified), messages),
        ContractError::NoAccessClass { rpc: rpc_name }
    );
}

#[test]
fn two_bindings_that_tie() {
    let other = GET.replace("GetThing", "FetchThing");
    let rpcs = rpc(&format!("{ACCESS} {} {}", binding(GET), binding(&other)));
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    let tie = ContractError::Tie {
        first: "FetchThing".into(),
        second: "GetThing".into(),
    };
    assert_eq!(refusal(&rpcs, &messages), tie);
}

#[test]
fn two_bindings_of_one_name() {
    let other = GET.replace("query: \"thing\"", "");
    let rpcs = rpc(&format!("{ACCESS} {} {}", binding(GET), binding(&other)));
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    assert_eq!(
        refusal(&rpcs, &messages),
        ContractError::SameName("GetThing".into())
    );
}

#[test]
fn an_element_without_a_name() {
    let messages = format!(
        "{REQUEST} message GetThingResponse {{ repeated Thing things = 1 [(bucketry.s3.v1.field) = {{xml: \"Thing\", flattened: true}}]; }}
        message Thing {{ string name = 1; }}"
    );
    let unnamed = ContractError::UnnamedXml {
        operation: "GetThing".into(),
        field: "things.name".into(),
    };
    assert_eq!(bound("response_xml: \"Things\"", &messages), unnamed);
}

#[test]
fn a_request_field_without_a_place() {
    let messages = "message GetThingRequest { string bucket = 1; } message GetThingResponse { }";
    let placeless = ContractError::NoPlace {
        operation: "GetThing".into(),
        field: "bucket".into(),
    };
    assert_eq!(bound("", messages), placeless);
}

#[test]
fn a_header_given_twice() {
    let header = "[(bucketry.s3.v1.field) = {header: \"x-thing\"}]";
    let answer = format!(
        "{REQUEST} message GetThingResponse {{ string a = 1 {header}; string b = 2 {header}; }}"
    );
    let place = "header x-thing of the answer".to_owned();
    assert_eq!(
        bound("", &answer),
        ContractError::Duplicate {
            operation: "GetThing".into(),
            place
        }
    );
    let request = format!(
        "message GetThingRequest {{ string a = 1 {header}; string b = 2 {header}; }} message GetThingResponse {{ }}"
    );
    assert!(matches!(
        bound("", &request),
        ContractError::Duplicate { .. }
    ));
}

#[test]
fn a_header_in_upper_case() {
    let messages = format!(
        "{REQUEST} message GetThingResponse {{ string a = 1 [(bucketry.s3.v1.field) = {{header: \"X-Thing\"}}]; }}"
    );
    let case = ContractError::HeaderCase {
        operation: "GetThing".into(),
        header: "X-Thing".into(),
    };
    assert_eq!(bound("", &messages), case);
}

#[test]
fn a_path_that_leads_nowhere() {
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    let unknown = |field: &str| ContractError::UnknownField {
        operation: "GetThing".into(),
        field: field.into(),
    };
    assert_eq!(
        bound(
            "response: {field: \"gone\", as: {xml: \"Gone\"}}",
            &messages
        ),
        unknown("gone")
    );
    assert_eq!(
        bound(
            "request: {field: \"gone\", as: {query: \"gone\"}}",
            &messages
        ),
        unknown("gone")
    );
    assert_eq!(
        bound("set: {field: \"gone\", value: \"true\"}", &messages),
        unknown("gone")
    );
    assert_eq!(
        bound("echo: {field: \"gone\", xml: \"Gone\"}", &messages),
        unknown("gone")
    );
    assert_eq!(bound("response_only: \"gone\"", &messages), unknown("gone"));
}

#[test]
fn a_name_that_rust_spells_otherwise() {
    let messages = "message ACLThing { }".to_owned() + REQUEST + "message GetThingResponse { }";
    assert_eq!(bound("", &messages), ContractError::Name("ACLThing".into()));
}

#[test]
fn a_form_that_does_not_fit() {
    let messages = format!(
        "{REQUEST} message GetThingResponse {{ int32 a = 1 [(bucketry.s3.v1.field) = {{header: \"etag\", form: FORM_ETAG}}]; }}"
    );
    assert_eq!(
        bound("", &messages),
        ContractError::Form {
            operation: "GetThing".into(),
            field: "a".into()
        }
    );
}

#[test]
fn a_rule_on_an_unknown_field() {
    let access = "option (bucketry.access.v1.access) = {class: ACCESS_CLASS_READ, when: {field: \"gone\", class: ACCESS_CLASS_READ_WRITE}};";
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    let unknown = ContractError::UnknownField {
        operation: "GetThing".into(),
        field: "gone".into(),
    };
    assert_eq!(refusal(&rpc(access), &messages), unknown);
}

#[test]
fn an_enum_value_without_text() {
    let messages = format!(
        "{REQUEST} message GetThingResponse {{ Kind kind = 1 [(bucketry.s3.v1.field) = {{header: \"x-kind\"}}]; }}
        enum Kind {{ KIND_UNSPECIFIED = 0; KIND_ODD = 1; }}"
    );
    assert_eq!(
        bound("", &messages),
        ContractError::NoEnumText {
            value: "KIND_ODD".into()
        }
    );
}

#[test]
fn a_binding_without_method_or_target() {
    let messages = format!("{REQUEST} message GetThingResponse {{ }}");
    let only = |body: &str| refusal(&rpc(&format!("{ACCESS} {}", binding(body))), &messages);
    let what = |what| ContractError::Unspecified {
        operation: "GetThing".into(),
        what,
    };
    assert_eq!(
        only("operation: \"GetThing\" target: TARGET_BUCKET"),
        what("the method")
    );
    assert_eq!(
        only("operation: \"GetThing\" method: HTTP_METHOD_GET"),
        what("the target")
    );
    assert_eq!(
        only("method: HTTP_METHOD_GET target: TARGET_BUCKET"),
        what("the operation")
    );
}

const PROFILE: &str = "option (bucketry.s3.v1.profile) =
    {name: \"hidden\" response: {field: \"thing\" as: {unbound: true}}};";

/// A service with these options, and one RPC that is bound to `GET /bucket?thing`, given more of the binding.
fn with_profile(service: &str, more: &str) -> ContractError {
    let binding = binding(&format!("{GET} {more}"));
    let rpc = rpc(&format!("{ACCESS} {binding}"));
    let messages =
        format!("{REQUEST} message GetThingResponse {{ string thing = 1; string other = 2; }}");
    refusal(&format!("{service} {rpc}"), &messages)
}

#[test]
fn a_profile_that_is_not_declared() {
    let refusal = with_profile(PROFILE, "profile: \"hidden\" profile: \"gone\"");
    let unknown = ContractError::UnknownProfile {
        operation: "GetThing".into(),
        profile: "gone".into(),
    };
    assert_eq!(refusal, unknown);
    assert!(refusal.to_string().contains("`gone`"), "{refusal}");
}

#[test]
fn a_profile_that_no_binding_uses() {
    let refusal = with_profile(PROFILE, "");
    let unused = ContractError::UnusedProfile {
        service: "bucketry.test.v1.TestService".into(),
        profile: "hidden".into(),
    };
    assert_eq!(refusal, unused);
    assert!(refusal.to_string().contains("`hidden`"), "{refusal}");
}

#[test]
fn two_profiles_of_one_name() {
    let twice = format!("{PROFILE} {PROFILE}");
    let same = ContractError::SameProfile {
        service: "bucketry.test.v1.TestService".into(),
        profile: "hidden".into(),
    };
    assert_eq!(with_profile(&twice, "profile: \"hidden\""), same);
}

#[test]
fn a_field_that_gets_a_place_twice() {
    let own = "response: {field: \"thing\" as: {header: \"x-thing\"}}";
    let twice = ContractError::Duplicate {
        operation: "GetThing".into(),
        place: "the place of `thing`".into(),
    };
    let refusal = with_profile(PROFILE, &format!("profile: \"hidden\" {own}"));
    assert_eq!(refusal, twice);
}
