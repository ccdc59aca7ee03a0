//! A graph that is being drawn: values, the nodes that make them, and constants.

mod operators;
pub(crate) mod proto;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::proto::{
    AttributeProto, DimensionProto, Extent, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// The version of ONNX's operators that graphs are drawn with.
const OPSET: i64 = 17;
/// The version of the file format that came with it.
const IR_VERSION: i64 = 8;

/// An input, a constant, or what a node puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Value(usize);

/// What a tensor's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Float,
    Byte,
    Long,
}

impl Element {
    /// Its number in files.
    fn number(self) -> i32 {
        match self {
            Self::Float => 1,
            Self::Byte => 2,
            Self::Long => 7,
        }
    }
}

/// The extent of an axis of an input or an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dim {
    /// As long as that.
    Fixed(usize),
    /// Any length, the same for all of that name.
    Any(&'static str),
}

struct Node {
    operator: &'static str,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
    attributes: Vec<AttributeProto>,
}

/// A graph that is being drawn.
#[derive(Default)]
pub(crate) struct Graph {
    /// By the number of the value.
    names: Vec<String>,
    nodes: Vec<Node>,
    constants: BTreeMap<Value, TensorProto>,
    /// Constants that have a name of their own.
    named: HashMap<String, Value>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<(Value, ValueInfoProto)>,
}

impl Graph {
    /// A value that goes in.
    pub(crate) fn input(&mut self, name: &str, element: Element, shape: &[Dim]) -> Value {
        self.inputs.push(info(name, element, shape));
        self.value(name.to_owned())
    }

    /// Lets a value come out by that name.
    pub(crate) fn output(&mut self, name: &str, value: Value, shape: &[Dim]) {
        let output = self.value(name.to_owned());
        self.nodes.push(Node {
            operator: "Identity",
            inputs: vec![value],
            outputs: vec![output],
            attributes: Vec::new(),
        });
        self.outputs
            .push((output, info(name, Element::Float, shape)));
    }

    /// What an operator makes of values.
    fn node(
        &mut self,
        operator: &'static str,
        inputs: &[Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let [output] = self.node_of(operator, inputs, attributes);
        output
    }

    /// The same for an operator with several outputs.
    fn node_of<const OUTPUTS: usize>(
        &mut self,
        operator: &'static str,
        inputs: &[Value],
        attributes: Vec<AttributeProto>,
    ) -> [Value; OUTPUTS] {
        let number = self.nodes.len();
        let outputs = std::array::from_fn(|output| match output {
            0 => self.value(format!("{operator}_{number}")),
            _ => self.value(format!("{operator}_{number}_{output}")),
        });
        self.nodes.push(Node {
            operator,
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            attributes,
        });
        outputs
    }

    /// A constant of that name; the one that was made by it first, if there is one.
    pub(crate) fn named(
        &mut self,
        name: &str,
        make: impl FnOnce() -> (Vec<usize>, Vec<f32>),
    ) -> Value {
        if let Some(value) = self.named.get(name) {
            return *value;
        }
        let (shape, values) = make();
        let value = self.floats_as(name.to_owned(), &shape, &values);
        self.named.insert(name.to_owned(), value);
        value
    }

    /// A constant.
    pub(crate) fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        self.floats_as(format!("constant_{}", self.names.len()), shape, values)
    }

    /// A constant number, in any shape.
    pub(crate) fn scalar(&mut self, value: f32) -> Value {
        self.named(&format!("number_{value:e}"), || (Vec::new(), vec![value]))
    }

    /// A constant of integers.
    pub(crate) fn ints(&mut self, shape: &[usize], values: &[i64]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        let name = format!("integers_{}", self.names.len());
        self.constant(name, Element::Long, shape, bytes.collect())
    }

    fn floats_as(&mut self, name: String, shape: &[usize], values: &[f32]) -> Value {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.constant(name, Element::Float, shape, bytes.collect())
    }

    fn constant(
        &mut self,
        name: String,
        element: Element,
        shape: &[usize],
        raw_data: Vec<u8>,
    ) -> Value {
        let tensor = TensorProto {
            dims: shape.iter().map(|&extent| extent as i64).collect(),
            data_type: element.number(),
            name: name.clone(),
            raw_data,
        };
        let value = self.value(name);
        self.constants.insert(value, tensor);
        value
    }

    fn value(&mut self, name: String) -> Value {
        self.names.push(name);
        Value(self.names.len() - 1)
    }

    /// The file: what the outputs rest on, and nothing else.
    pub(crate) fn finish(self, version: &str, metadata: Vec<(String, String)>) -> ModelProto {
        let mut needed: BTreeSet<Value> = self.outputs.iter().map(|(value, _)| *value).collect();
        let mut kept = Vec::new();
        // Nodes come after those whose values they take.
        for node in self.nodes.into_iter().rev() {
            if node.outputs.iter().any(|output| needed.contains(output)) {
                needed.extend(&node.inputs);
                kept.push(node);
            }
        }
        let name = |value: &Value| self.names[value.0].clone();
        let node = |node: Node| NodeProto {
            input: node.inputs.iter().map(name).collect(),
            output: node.outputs.iter().map(name).collect(),
            name: node.outputs.first().map(name).unwrap_or_default(),
            op_type: node.operator.to_owned(),
            attribute: node.attributes,
        };
        let constants = self.constants.into_iter();
        let graph = GraphProto {
            node: kept.into_iter().rev().map(node).collect(),
            name: "ckaad".to_owned(),
            initializer: constants
                .filter(|(value, _)| needed.contains(value))
                .map(|(_, tensor)| tensor)
                .collect(),
            input: self.inputs,
            output: self.outputs.into_iter().map(|(_, info)| info).collect(),
        };
        let entry = |(key, value)| StringStringEntryProto { key, value };
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "ckaad".to_owned(),
            producer_version: version.to_owned(),
            graph: Some(graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPSET,
            }],
            metadata_props: metadata.into_iter().map(entry).collect(),
        }
    }
}

fn info(name: &str, element: Element, shape: &[Dim]) -> ValueInfoProto {
    let dim = |dim: &Dim| DimensionProto {
        value: Some(match dim {
            Dim::Fixed(extent) => Extent::DimValue(*extent as i64),
            Dim::Any(name) => Extent::DimParam((*name).to_owned()),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: element.number(),
                shape: Some(TensorShapeProto {
                    dim: shape.iter().map(dim).collect(),
                }),
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_outputs_rest_on_is_written() {
        let mut graph = Graph::default();
        let x = graph.input("x", Element::Float, &[Dim::Any("N"), Dim::Fixed(2)]);
        let shared = graph.named("weight", || (vec![2], vec![1.0, 2.0]));
        assert_eq!(graph.named("weight", || (vec![0], Vec::new())), shared);
        let y = graph.mul(x, shared);
        let needless = graph.scalar(7.0);
        graph.add(y, needless);
        graph.output("y", y, &[Dim::Any("N"), Dim::Fixed(2)]);
        let file = graph.finish("1", vec![("key".to_owned(), "value".to_owned())]);
        let graph = file.graph.unwrap_or_default();
        let operators: Vec<&str> = graph.node.iter().map(|node| &*node.op_type).collect();
        assert_eq!(operators, ["Mul", "Identity"]);
        let constants: Vec<&str> = graph.initializer.iter().map(|it| &*it.name).collect();
        assert_eq!(constants, ["weight"]);
        assert_eq!(graph.node[0].input, ["x", "weight"]);
        assert_eq!(graph.node[1].output, ["y"]);
        assert_eq!(file.metadata_props[0].key, "key");
    }
}
