//! Writes typed parsing: from the URI, query and headers first (enough to authorize), then from the XML body.

mod decoded;
mod parsed_request;
mod request_head;
mod xml_body;

use crate::model::Contract;
use crate::source::Code;

pub(crate) fn source(contract: &Contract) -> String {
    let mut code = Code::default();
    parsed_request::write(&contract.operations, &mut code);
    for operation in &contract.operations {
        request_head::write(operation, &mut code);
        if let Some(body) = &operation.request.body {
            xml_body::write(operation, body, &mut code);
        }
    }
    code.finish()
}
