//! From the descriptor set to the model: options, RPCs with their access, reasons, enums, operations.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind,
    MessageDescriptor, MethodDescriptor, ServiceDescriptor, Value,
};

use crate::annotations::{
    Access, Binding, Error, Field, Resource, Rest, SubResource, UpdateAccess,
};
use crate::model::{
    Contract, ContractError, FieldPath, Operation, Read, Reason, Rpc, Update, WireEnum,
};
use crate::profiles::Profiles;
use crate::resolve;
use crate::s3_model::S3Model;
use crate::source::variant;
use crate::sub_resource::Site;

const REASON_ENUM: &str = "bucketry.v1.ErrorReason";
const CLASS_ENUM: &str = "bucketry.access.v1.AccessClass";
const CLASS_PREFIX: &str = "ACCESS_CLASS_";
const REASON_PREFIX: &str = "ERROR_REASON_";

/// The descriptors with the extensions that annotate them.
pub(crate) struct Options {
    pool: DescriptorPool,
}

impl Options {
    fn extension(&self, name: &str) -> Option<ExtensionDescriptor> {
        self.pool.get_extension_by_name(name)
    }

    fn values(&self, options: &DynamicMessage, name: &str) -> Vec<Value> {
        let Some(extension) = self.extension(name) else {
            return Vec::new();
        };
        if !options.has_extension(&extension) {
            return Vec::new();
        }
        match options.get_extension(&extension).into_owned() {
            Value::List(values) => values,
            value => vec![value],
        }
    }

    fn all<T: Message + Default>(
        &self,
        on: &str,
        options: &DynamicMessage,
        name: &str,
    ) -> Result<Vec<T>, ContractError> {
        let values = self.values(options, name);
        let messages = values.iter().filter_map(Value::as_message);
        let read = |message: &DynamicMessage| {
            message
                .transcode_to::<T>()
                .map_err(|fault| ContractError::Option {
                    on: on.to_owned(),
                    why: fault.to_string(),
                })
        };
        messages.map(read).collect()
    }

    fn one<T: Message + Default>(
        &self,
        on: &str,
        options: &DynamicMessage,
        name: &str,
    ) -> Result<Option<T>, ContractError> {
        Ok(self.all(on, options, name)?.pop())
    }

    /// The place of a field.
    pub(crate) fn field(&self, field: &FieldDescriptor) -> Result<Option<Field>, ContractError> {
        self.one(field.full_name(), &field.options(), "bucketry.s3.v1.field")
    }

    /// The field as a sub-resource.
    pub(crate) fn sub_resource(
        &self,
        field: &FieldDescriptor,
    ) -> Result<Option<SubResource>, ContractError> {
        self.one(
            field.full_name(),
            &field.options(),
            "bucketry.s3.v1.sub_resource",
        )
    }

    fn update_access(
        &self,
        field: &FieldDescriptor,
    ) -> Result<Option<UpdateAccess>, ContractError> {
        self.one(
            field.full_name(),
            &field.options(),
            "bucketry.access.v1.update_access",
        )
    }

    fn text(&self, options: &DynamicMessage) -> Option<String> {
        let values = self.values(options, "bucketry.s3.v1.text");
        values.first().and_then(Value::as_str).map(str::to_owned)
    }

    /// The RPC of that name in any of the contract's services.
    pub(crate) fn rpc(&self, name: &str) -> Option<MethodDescriptor> {
        self.methods()
            .into_iter()
            .find(|method| method.name() == name)
    }

    fn services(&self) -> impl Iterator<Item = ServiceDescriptor> {
        self.pool
            .services()
            .filter(|service| is_ours(service.package_name()))
    }

    fn methods(&self) -> Vec<MethodDescriptor> {
        self.services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .collect()
    }

    fn messages(&self) -> Vec<MessageDescriptor> {
        let messages = self
            .pool
            .all_messages()
            .filter(|message| is_ours(message.package_name()));
        messages.filter(|message| !message.is_map_entry()).collect()
    }
}

fn is_ours(package: &str) -> bool {
    package.starts_with("bucketry.")
}

/// Reads the whole contract.
pub(crate) fn contract(descriptor_set: &[u8]) -> Result<Contract, ContractError> {
    let pool = DescriptorPool::decode(descriptor_set)
        .map_err(|fault| ContractError::Descriptor(fault.to_string()))?;
    let options = Options { pool };
    let rpcs = options
        .methods()
        .iter()
        .map(|method| rpc(&options, method))
        .collect::<Result<_, _>>()?;
    let (rest, s3) = (rest(&options)?, S3Model::read()?);
    let mut operations = operations(&options)?;
    for operation in &mut operations {
        operation.accepted = s3.accepted(operation, &rest);
        operation.refused = s3.refused(operation, &rest);
        if let Some(body) = &mut operation.request.body {
            body.refused = std::mem::take(&mut operation.refused.elements);
        }
    }
    let mut operation_keys = s3.operation_keys();
    operation_keys.extend(rest.sub_resource.iter().cloned());
    Ok(Contract {
        operation_keys: operation_keys.into_iter().collect(),
        rest,
        s3,
        reasons: reasons(&options)?,
        access_classes: access_classes(&options)?,
        enums: enums(&options, &operations)?,
        type_names: type_names(&options),
        operations,
        rpcs,
    })
}

fn rest(options: &Options) -> Result<Rest, ContractError> {
    for service in options.pool.services() {
        let found = options.one(
            service.full_name(),
            &service.options(),
            "bucketry.s3.v1.rest",
        )?;
        if let Some(rest) = found {
            return Ok(rest);
        }
    }
    Ok(Rest::default())
}

fn reasons(options: &Options) -> Result<Vec<Reason>, ContractError> {
    let reasons = options
        .pool
        .get_enum_by_name(REASON_ENUM)
        .ok_or(ContractError::Missing(REASON_ENUM))?;
    let mut found = Vec::new();
    for value in reasons.values() {
        let row: Option<Error> =
            options.one(value.full_name(), &value.options(), "bucketry.s3.v1.error")?;
        let row = row.filter(|row| !row.code.is_empty() && row.status > 0 && row.grpc > 0);
        let row = row.ok_or_else(|| ContractError::NoErrorRow {
            value: value.name().to_owned(),
        })?;
        let name = value.name().strip_prefix(REASON_PREFIX);
        let name = name
            .ok_or_else(|| ContractError::Name(value.name().to_owned()))?
            .to_owned();
        found.push(Reason { name, row });
    }
    Ok(found)
}

fn access_classes(options: &Options) -> Result<Vec<(i32, String)>, ContractError> {
    let classes = options
        .pool
        .get_enum_by_name(CLASS_ENUM)
        .ok_or(ContractError::Missing(CLASS_ENUM))?;
    let name = |value: &str| variant(value.strip_prefix(CLASS_PREFIX).unwrap_or(value));
    Ok(classes
        .values()
        .map(|value| (value.number(), name(value.name())))
        .collect())
}

fn type_names(options: &Options) -> Vec<String> {
    let messages = options
        .messages()
        .into_iter()
        .map(|message| message.name().to_owned());
    let enums = options
        .pool
        .all_enums()
        .filter(|found| is_ours(found.package_name()));
    messages
        .chain(enums.map(|found| found.name().to_owned()))
        .collect()
}

fn rpc(options: &Options, method: &MethodDescriptor) -> Result<Rpc, ContractError> {
    let access: Option<Access> = options.one(
        method.full_name(),
        &method.options(),
        "bucketry.access.v1.access",
    )?;
    let access = access.filter(|access| access.class != 0);
    let access = access.ok_or_else(|| ContractError::NoAccessClass {
        rpc: method.full_name().to_owned(),
    })?;
    Ok(Rpc {
        service: method.parent_service().name().to_owned(),
        package: method.parent_service().package_name().to_owned(),
        name: method.name().to_owned(),
        input: method.input(),
        client_streaming: method.is_client_streaming(),
        access,
        updates: updates(options, method)?,
        reads: reads(options, method)?,
    })
}

/// The mask paths of an RPC: those of the resource that names it as its update.
fn updates(options: &Options, method: &MethodDescriptor) -> Result<Vec<Update>, ContractError> {
    let mut found = Vec::new();
    for message in options.messages() {
        let Some(resource) = resource(options, &message)? else {
            continue;
        };
        if resource.update != method.name() {
            continue;
        }
        let base = resolve::path(&method.input(), &resource.update_field, method.name())?;
        for (path, field, _) in sub_resources(options, &message)? {
            let access = options.update_access(&field)?;
            let access = access.filter(|access| access.set != 0 && access.clear != 0);
            let access = access.ok_or_else(|| ContractError::NoUpdateAccess {
                field: field.full_name().to_owned(),
            })?;
            let mask = path.text();
            let mut steps = base.steps.clone();
            steps.extend(path.steps);
            let mask_field = resource.mask_field.clone();
            found.push(Update {
                mask,
                path: FieldPath { steps },
                mask_field,
                access,
            });
        }
    }
    Ok(found)
}

/// The read mask paths of an RPC: those of the resource that names it as its get.
fn reads(options: &Options, method: &MethodDescriptor) -> Result<Vec<Read>, ContractError> {
    let mut found = Vec::new();
    for message in options.messages() {
        let resource = resource(options, &message)?;
        let read = |of: &Resource| of.get == method.name() && !of.get_mask_field.is_empty();
        let Some(resource) = resource.filter(read) else {
            continue;
        };
        resolve::path(&method.input(), &resource.get_mask_field, method.name())?;
        let own = message
            .fields()
            .map(|field| (FieldPath::default().with(&field), field));
        let settings = sub_resources(options, &message)?;
        let settings = settings.into_iter().map(|(path, field, _)| (path, field));
        let all: BTreeMap<String, FieldDescriptor> = own
            .chain(settings)
            .map(|(path, field)| (path.text(), field))
            .collect();
        for (mask, field) in all {
            let access = options.update_access(&field)?;
            if let Some(access) = access.filter(|access| access.read != 0) {
                found.push(Read {
                    mask,
                    mask_field: resource.get_mask_field.clone(),
                    class: access.read,
                    action: access.read_action,
                });
            }
        }
    }
    Ok(found)
}

fn resource(
    options: &Options,
    message: &MessageDescriptor,
) -> Result<Option<Resource>, ContractError> {
    options.one(
        message.full_name(),
        &message.options(),
        "bucketry.s3.v1.resource",
    )
}

/// The sub-resources of a message and of the messages in it.
fn sub_resources(
    options: &Options,
    message: &MessageDescriptor,
) -> Result<Vec<(FieldPath, FieldDescriptor, SubResource)>, ContractError> {
    let mut found = Vec::new();
    let mut open = vec![(FieldPath::default(), message.clone())];
    while let Some((path, message)) = open.pop() {
        for field in message.fields() {
            let here = path.with(&field);
            if let Some(sub_resource) = options.sub_resource(&field)? {
                found.push((here, field, sub_resource));
            } else if let (Kind::Message(inner), false) =
                (field.kind(), field.is_list() || field.is_map())
                && is_ours(inner.package_name())
                && here.steps.len() < 4
            {
                open.push((here, inner));
            }
        }
    }
    Ok(found)
}

/// The bindings of a service's RPCs, their profiles expanded.
fn bindings(
    options: &Options,
    service: &ServiceDescriptor,
) -> Result<Vec<(MethodDescriptor, Binding)>, ContractError> {
    let declared = options.all(
        service.full_name(),
        &service.options(),
        "bucketry.s3.v1.profile",
    )?;
    let mut profiles = Profiles::new(service.full_name(), declared)?;
    let mut found = Vec::new();
    for method in service.methods() {
        let bindings: Vec<Binding> = options.all(
            method.full_name(),
            &method.options(),
            "bucketry.s3.v1.binding",
        )?;
        for binding in bindings {
            found.push((method.clone(), profiles.expand(binding)?));
        }
    }
    profiles.finish()?;
    Ok(found)
}

fn operations(options: &Options) -> Result<Vec<Operation>, ContractError> {
    let mut found = Vec::new();
    for service in options.services() {
        for (method, binding) in bindings(options, &service)? {
            found.push(resolve::operation(options, &method, &binding)?);
        }
    }
    for message in options.messages() {
        let Some(resource) = resource(options, &message)? else {
            continue;
        };
        for (path, _, sub_resource) in sub_resources(options, &message)? {
            let site = Site {
                options,
                resource: &resource,
                at: &path,
                sub_resource: &sub_resource,
            };
            found.extend(site.operations()?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn enums(options: &Options, operations: &[Operation]) -> Result<Vec<WireEnum>, ContractError> {
    let used: BTreeSet<String> = operations.iter().flat_map(resolve::enum_names).collect();
    let all = options
        .pool
        .all_enums()
        .filter(|found| is_ours(found.package_name()));
    all.filter(|found| used.contains(found.name()))
        .map(|found| wire_enum(options, &found))
        .collect()
}

fn wire_enum(options: &Options, of: &EnumDescriptor) -> Result<WireEnum, ContractError> {
    let mut values = Vec::new();
    for value in of.values().filter(|value| value.number() != 0) {
        let text = options.text(&value.options());
        let text = text.ok_or_else(|| ContractError::NoEnumText {
            value: value.name().to_owned(),
        })?;
        values.push((value.number(), text));
    }
    Ok(WireEnum {
        name: of.name().to_owned(),
        values,
    })
}
