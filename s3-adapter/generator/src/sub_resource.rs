//! From one sub-resource to its GET, PUT and DELETE.

use std::collections::BTreeSet;

use prost_reflect::{MessageDescriptor, MethodDescriptor};

use crate::annotations::{Direction, HttpMethod, Resource, SubResource};
use crate::codec::Codec;
use crate::model::{
    AnswerHeader, Body, ContractError, FieldPath, Mask, MemberPlace, Missing, Operation,
    PathChange, Request, RequestMember, Response, Shape,
};
use crate::read::Options;
use crate::resolve::{message_at, path, query_keys, status, walk};
use crate::s3_model::RefusedInputs;
use crate::shape::{Found, Room};

/// The name of an operation that S3 does not have.
const NONE: &str = "-";

/// A sub-resource and where it is.
pub(crate) struct Site<'a> {
    pub(crate) options: &'a Options,
    pub(crate) resource: &'a Resource,
    /// From the resource's message.
    pub(crate) at: &'a FieldPath,
    pub(crate) sub_resource: &'a SubResource,
}

/// One of the two that change it.
struct Verb {
    name: String,
    method: HttpMethod,
    status: u16,
    change: PathChange,
}

impl Site<'_> {
    /// The GET and PUT, and the DELETE if S3 has it.
    pub(crate) fn operations(&self) -> Result<Vec<Operation>, ContractError> {
        let sub_resource = self.sub_resource;
        let put = Verb {
            name: format!("Put{}", sub_resource.name),
            method: HttpMethod::Put,
            status: status(sub_resource.put_status, 200),
            change: PathChange::Set,
        };
        let mut found = vec![self.get()?, self.update(put)?];
        let name = match sub_resource.delete.as_str() {
            NONE => return Ok(found),
            "" => format!("Delete{}", sub_resource.name),
            name => name.to_owned(),
        };
        let delete = Verb {
            name,
            method: HttpMethod::Delete,
            status: status(sub_resource.delete_status, 204),
            change: PathChange::Clear,
        };
        found.push(self.update(delete)?);
        Ok(found)
    }

    fn rpc(&self, name: &str, operation: &str) -> Result<MethodDescriptor, ContractError> {
        let unknown = || ContractError::UnknownRpc {
            operation: operation.to_owned(),
            rpc: name.to_owned(),
        };
        self.options.rpc(name).ok_or_else(unknown)
    }

    /// The members of an update's request that say which resource is meant.
    fn identity(
        &self,
        update: &MethodDescriptor,
        operation: &str,
    ) -> Result<Vec<RequestMember>, ContractError> {
        let field = &self.resource.update_field;
        let base = path(&update.input(), field, operation)?;
        let message = message_at(&update.input(), field, operation)?;
        let mut members = Vec::new();
        walk(self.options, operation, Direction::Request, "", &[]).request(
            &message,
            &base,
            &mut members,
        )?;
        let names = &self.resource.identify;
        members.retain(|member| {
            let own = member.path.steps.len() == base.steps.len() + 1;
            let leaf = member.path.leaf();
            own && leaf.is_some_and(|leaf| names.iter().any(|name| name == leaf.name()))
        });
        Ok(members)
    }

    /// The identifying fields that the answer shows.
    fn shown(
        &self,
        answer: &MessageDescriptor,
        base: &str,
        operation: &str,
    ) -> Result<Vec<AnswerHeader>, ContractError> {
        let mut found = Vec::new();
        for name in &self.resource.show {
            let path = path(answer, &format!("{base}.{name}"), operation)?;
            let Some(leaf) = path.leaf() else { continue };
            let field = self.options.field(leaf)?.unwrap_or_default();
            let refusal = || ContractError::Form {
                operation: operation.to_owned(),
                field: name.clone(),
            };
            found.push(AnswerHeader {
                codec: Codec::of(leaf, field.form()).ok_or_else(refusal)?,
                name: field.header,
                prefix: false,
                path,
                always: false,
                when: None,
            });
        }
        Ok(found)
    }

    fn get(&self) -> Result<Operation, ContractError> {
        let resource = self.resource;
        let name = format!("Get{}", self.sub_resource.name);
        let method = self.rpc(&resource.get, &name)?;
        let update = self.rpc(&resource.update, &name)?;
        let same = self.identity(&update, &name)?;
        let places: BTreeSet<MemberPlace> = same.into_iter().map(|member| member.place).collect();
        let mut members = Vec::new();
        walk(self.options, &name, Direction::Request, "", &[]).request(
            &method.input(),
            &FieldPath::default(),
            &mut members,
        )?;
        members.retain(|member| places.contains(&member.place));

        let output = method.output();
        let text = format!("{}.{}", resource.get_field, self.at.text());
        let full = path(&output, &text, &name)?;
        let inside = message_at(&output, &text, &name)?;
        let mut found = Found::default();
        walk(self.options, &name, Direction::Response, "", &[]).shape(
            &inside,
            &full,
            Room::Elements,
            &mut found,
        )?;
        let mut answer = plain_answer(
            output.clone(),
            self.shown(&output, &resource.get_field, &name)?,
        );
        answer.root = Some(self.sub_resource.xml.clone());
        answer.shape = found.shape;
        let reason = &self.sub_resource.missing;
        Ok(Operation {
            // Known once the whole contract is read.
            refused: RefusedInputs::default(),
            accepted: Vec::new(),
            rpc: method.name().to_owned(),
            method: HttpMethod::Get,
            target: resource.target(),
            query: query_keys(std::slice::from_ref(&self.sub_resource.query)),
            headers: Vec::new(),
            status: 200,
            hook: false,
            request: plain_request(method.input(), members),
            answer,
            mask: (!resource.get_mask_field.is_empty()).then(|| Mask {
                field: resource.get_mask_field.clone(),
                path: self.at.text(),
                change: PathChange::Read,
            }),
            missing: (!reason.is_empty()).then(|| Missing {
                field: Some(full),
                reason: reason.clone(),
            }),
            encoding_type: false,
            name,
        })
    }

    fn update(&self, verb: Verb) -> Result<Operation, ContractError> {
        let resource = self.resource;
        let name = verb.name;
        let method = self.rpc(&resource.update, &name)?;
        let mut request = plain_request(method.input(), self.identity(&method, &name)?);
        if verb.change == PathChange::Set {
            request.body = Some(self.body(&method, &name)?);
        }
        let headers = self.shown(&method.output(), &resource.update_field, &name)?;
        Ok(Operation {
            // Known once the whole contract is read.
            refused: RefusedInputs::default(),
            accepted: Vec::new(),
            rpc: method.name().to_owned(),
            method: verb.method,
            target: resource.target(),
            query: query_keys(std::slice::from_ref(&self.sub_resource.query)),
            headers: Vec::new(),
            status: verb.status,
            hook: false,
            request,
            answer: plain_answer(method.output(), headers),
            mask: Some(Mask {
                field: resource.mask_field.clone(),
                path: self.at.text(),
                change: verb.change,
            }),
            missing: None,
            encoding_type: false,
            name,
        })
    }

    fn body(&self, method: &MethodDescriptor, name: &str) -> Result<Body, ContractError> {
        let text = format!("{}.{}", self.resource.update_field, self.at.text());
        let inside = message_at(&method.input(), &text, name)?;
        let mut found = Found::default();
        walk(self.options, name, Direction::Request, "", &[]).shape(
            &inside,
            &FieldPath::default(),
            Room::Elements,
            &mut found,
        )?;
        Ok(Body {
            root: self.sub_resource.xml.clone(),
            path: path(&method.input(), &text, name)?,
            optional: false,
            shape: found.shape,
            hook_elements: Vec::new(),
            refused: Vec::new(),
        })
    }
}

fn plain_request(message: MessageDescriptor, members: Vec<RequestMember>) -> Request {
    Request {
        message,
        streamed: false,
        members,
        constants: Vec::new(),
        body: None,
    }
}

fn plain_answer(message: MessageDescriptor, headers: Vec<AnswerHeader>) -> Response {
    Response {
        message,
        status_when: Vec::new(),
        headers,
        root: None,
        shape: Shape::default(),
        echo: Vec::new(),
        derived_headers: Vec::new(),
        overrides: Vec::new(),
        hook_elements: Vec::new(),
    }
}
