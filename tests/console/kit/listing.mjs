// Answers of ListObjects made here, so that a bucket can have a million keys at once.

/** A gRPC-Web answer with one page of `count` objects from number `first`; `next` is the token of the following page. */
export function listing(first, count, next) {
  const objects = Array.from({ length: count }, (_, at) => field(1, Buffer.concat([field(2, name(first + at)), varint(5, 1_000)])));
  const message = Buffer.concat([...objects, ...(next === '' ? [] : [field(3, next)])]);
  return Buffer.concat([frame(0, message), frame(0x80, Buffer.from('grpc-status: 0\r\n'))]);
}

/** The page token that a request carries. */
export function pageToken(request) {
  const message = request.subarray(5);
  for (let at = 0; at < message.length; ) {
    const tag = message[at];
    const [value, after] = readVarint(message, at + 1);
    if ((tag & 7) !== 2) at = after;
    else {
      if (tag >> 3 === 6) return message.subarray(after, after + value).toString();
      at = after + value;
    }
  }
  return '';
}

export const name = (number) => `object-${String(number).padStart(7, '0')}`;

function field(number, content) {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), toVarint(bytes.length), bytes]);
}

const varint = (number, value) => Buffer.concat([Buffer.from([number << 3]), toVarint(value)]);

function toVarint(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function readVarint(bytes, from) {
  let value = 0;
  for (let at = from, shift = 0; ; at += 1, shift += 7) {
    value |= (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

function frame(flags, content) {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}
