//! Writes the `Hooks` trait and the dispatch of parsed requests.

use crate::model::{Contract, Missing, Operation};
use crate::render::shows_request;
use crate::source::{Code, function, method_name, parent, request_type, variant};

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    hooks(contract, &mut code);
    dispatch(contract, &mut code);
    code.finish()
}

fn hooks(contract: &Contract, code: &mut Code) {
    code.line("/// The operations that resist description. Parsing and rendering are generated for them too.");
    code.line("#[async_trait::async_trait]");
    code.block(
        "pub trait Hooks: Send + Sync {",
        |code| {
            code.line("/// What the pipeline hands on: the request's view, its body, its session.\n    type Call: Call;");
            code.line("/// What goes back to the client.\n    type Answer: From<Rendered> + Send;");
            code.line("/// A refusal.\n    type Error: From<tonic::Status> + Send;");
            for operation in contract.operations.iter().filter(|operation| operation.hook) {
                code.line(format!("/// {}.", operation.name));
                code.line(format!(
                    "async fn {}(&self, call: Self::Call, request: {}) -> Result<Self::Answer, Self::Error>;",
                    method_name(&operation.name),
                    request_type(operation)
                ));
            }
        },
        "}",
    );
}

fn dispatch(contract: &Contract, code: &mut Code) {
    code.line("/// Does the operation: by a hook, or by one call of the service and the generated rendering.");
    code.line("///\n/// # Errors\n/// The service's status, or the hook's error.");
    code.block(
        "pub async fn dispatch<S, H>(request: Box<ParsedRequest>, service: &S, hooks: &H, mut call: H::Call) -> Result<H::Answer, H::Error>\nwhere\n    S: ObjectService + ?Sized,\n    H: Hooks + ?Sized,\n{\n    match *request {",
        |code| contract.operations.iter().for_each(|operation| arm(operation, code)),
        "    }\n}",
    );
}

fn arm(operation: &Operation, code: &mut Code) {
    let method = method_name(&operation.name);
    if operation.hook {
        code.line(format!(
            "ParsedRequest::{}(request) => hooks.{method}(call, request).await,",
            operation.name
        ));
        return;
    }
    code.block(
        format!("ParsedRequest::{}(request) => {{", operation.name),
        |code| {
            let rpc = method_name(&operation.rpc);
            if let Some(Missing {
                field: None,
                reason,
            }) = &operation.missing
            {
                code.line(format!("service.{rpc}(call.request(request)).await?;"));
                code.line(format!(
                    "Err(errors::status_of(ErrorReason::{}).into())",
                    variant(reason)
                ));
                return;
            }
            let (sent, shown) = match shows_request(operation) {
                true => ("request.clone()", "&request, "),
                false => ("request", ""),
            };
            code.line(format!(
                "let answer = service.{rpc}(call.request({sent})).await?.into_inner();"
            ));
            if let Some(Missing {
                field: Some(path),
                reason,
            }) = &operation.missing
            {
                let (parent, field) = parent("&answer", path);
                code.line(format!(
                    "let is_set = {parent}.is_some_and(|m| m.{field}.is_some());"
                ));
                code.block(
                    "if !is_set {",
                    |code| {
                        code.line(format!(
                            "return Err(errors::status_of(ErrorReason::{}).into());",
                            variant(reason)
                        ))
                    },
                    "}",
                );
            }
            let render = function("render", &operation.name);
            code.line(format!(
                "Ok({render}({shown}&answer, &call.context()).into())"
            ));
        },
        "}",
    );
}
