//! XML documents.

use bucketry_s3_adapter::xml::{Element, XmlWriter, parse};

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "xml",
    run,
    seeds,
};

const LIMIT: usize = 1 << 20;

fn run(input: &[u8]) {
    let Ok(root) = parse(input, LIMIT) else {
        return;
    };
    let mut nodes = 0;
    visit(&root, &mut nodes);
    // Every element costs at least `<a/>`: nothing is expanded.
    assert!(nodes * 4 <= input.len());
}

/// What was read can be written, and is read the same again.
fn visit(element: &Element, nodes: &mut usize) {
    *nodes += 1;
    let mut writer = XmlWriter::fragment();
    writer.text_element("Text", &element.text);
    let again = parse(&writer.finish(), 8 * LIMIT).map(|again| again.text);
    assert_eq!(again.as_ref(), Ok(&element.text));
    for child in &element.children {
        visit(child, nodes);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>\
         <ETag>&quot;a&quot;</ETag></Part></CompleteMultipartUpload>",
        "<Tagging><TagSet><Tag><Key>k</Key><Value><![CDATA[<v>]]></Value></Tag></TagSet></Tagging>",
        "<s3:CORSConfiguration xmlns:s3=\"x\"><s3:CORSRule a='b'><!-- c --><s3:AllowedOrigin>*</s3:AllowedOrigin>\
         </s3:CORSRule></s3:CORSConfiguration>",
        "\u{feff}<a>&#x41;&#66;\r\n\t</a>",
    ])
}
