// The packets of MQTT 5 that a page needs, as bytes: CONNECT, PUBLISH, SUBSCRIBE and what answers them (OASIS MQTT 5.0, section 3).

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The kinds of packets, by the first four bits of each. */
export const Kind = {
  connect: 1, connack: 2, publish: 3, puback: 4, subscribe: 8, suback: 9, unsubscribe: 10, unsuback: 11,
  pingreq: 12, pingresp: 13, disconnect: 14,
};

/** How long each property's value is, by its identifier (section 2.2.2.2); "text", "pair" and "number" say it themselves. */
const propertyLengths = new Map([
  [0x01, 1], [0x02, 4], [0x03, "text"], [0x08, "text"], [0x09, "text"], [0x0b, "number"], [0x11, 4], [0x12, "text"], [0x13, 2],
  [0x15, "text"], [0x16, "text"], [0x17, 1], [0x19, 1], [0x1a, "text"], [0x1c, "text"], [0x1f, "text"], [0x21, 2], [0x22, 2],
  [0x23, 2], [0x24, 1], [0x25, 1], [0x26, "pair"], [0x27, 4], [0x28, 1], [0x29, 1], [0x2a, 1],
]);
const reasonString = 0x1f;
const assignedKeepAlive = 0x13;

class Writer {
  #bytes = [];

  byte(value) { this.#bytes.push(value & 0xff); return this; }
  uint16(value) { return this.byte(value >> 8).byte(value); }
  bytes(value) { for (const byte of value) this.#bytes.push(byte); return this; }

  /** Bytes behind their length; text as UTF-8. */
  data(value) {
    const bytes = typeof value === "string" ? encoder.encode(value) : value;
    if (bytes.length > 0xffff) throw new RangeError("a field of MQTT has at most 65,535 bytes");
    return this.uint16(bytes.length).bytes(bytes);
  }

  packet(kind, flags) {
    return Uint8Array.from([(kind << 4) | flags, ...variableLength(this.#bytes.length), ...this.#bytes]);
  }
}

function variableLength(length) {
  const bytes = [];
  do {
    const rest = Math.floor(length / 128);
    bytes.push((length % 128) | (rest > 0 ? 0x80 : 0));
    length = rest;
  } while (length > 0);
  return bytes;
}

/** A new session each time: what a page missed is retained. */
export function connect({ clientId, username, password, keepAlive }) {
  const flags = 0x02 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const writer = new Writer().data("MQTT").byte(5).byte(flags).uint16(keepAlive).byte(0).data(clientId);
  if (username !== undefined) writer.data(username);
  if (password !== undefined) writer.data(password);
  return writer.packet(Kind.connect, 0);
}

export function subscribe(id, filter, qos) {
  return new Writer().uint16(id).byte(0).data(filter).byte(qos).packet(Kind.subscribe, 0x02);
}

export function unsubscribe(id, filter) {
  return new Writer().uint16(id).byte(0).data(filter).packet(Kind.unsubscribe, 0x02);
}

export function publish(id, topic, payload, { qos, retain, again }) {
  const flags = (again ? 0x08 : 0) | (qos << 1) | (retain ? 1 : 0);
  const writer = new Writer().data(topic);
  if (qos > 0) writer.uint16(id);
  return writer.byte(0).bytes(typeof payload === "string" ? encoder.encode(payload) : payload).packet(Kind.publish, flags);
}

export const puback = (id) => new Writer().uint16(id).packet(Kind.puback, 0);
export const pingreq = () => new Writer().packet(Kind.pingreq, 0);
export const disconnect = () => new Writer().packet(Kind.disconnect, 0);

class Reader {
  #bytes;
  #place = 0;

  constructor(bytes) { this.#bytes = bytes; }

  get isAtEnd() { return this.#place >= this.#bytes.length; }

  take(count) {
    if (this.#place + count > this.#bytes.length) throw new RangeError("a packet ended early");
    return this.#bytes.subarray(this.#place, (this.#place += count));
  }

  byte() { return this.take(1)[0]; }
  uint16() { return (this.byte() << 8) | this.byte(); }
  text() { return decoder.decode(this.take(this.uint16())); }
  rest() { return this.take(this.#bytes.length - this.#place); }

  variable() {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a length of more than four bytes");
  }

  /** The properties that the page looks at: why something was refused, and how often the broker wants to hear of it. */
  properties() {
    const found = {};
    if (this.isAtEnd) return found;
    const inner = new Reader(this.take(this.variable()));
    while (!inner.isAtEnd) {
      const id = inner.variable();
      const length = propertyLengths.get(id);
      if (id === reasonString) found.reason = inner.text();
      else if (id === assignedKeepAlive) found.keepAlive = inner.uint16();
      else if (length === "text") inner.take(inner.uint16());
      else if (length === "pair") { inner.take(inner.uint16()); inner.take(inner.uint16()); }
      else if (length === "number") inner.variable();
      else if (length !== undefined) inner.take(length);
      else throw new RangeError("an unknown property");
    }
    return found;
  }
}

function read(kind, flags, body) {
  const reader = new Reader(body);
  switch (kind) {
    case Kind.connack: {
      reader.byte();
      return { kind, code: reader.byte(), ...reader.properties() };
    }
    case Kind.publish: {
      const qos = (flags >> 1) & 3;
      const topic = reader.text();
      const id = qos > 0 ? reader.uint16() : undefined;
      reader.properties();
      return { kind, topic, qos, id, retained: (flags & 1) === 1, payload: reader.rest() };
    }
    case Kind.puback: {
      const id = reader.uint16();
      return { kind, id, code: reader.isAtEnd ? 0 : reader.byte(), ...reader.properties() };
    }
    case Kind.suback:
    case Kind.unsuback: {
      const id = reader.uint16();
      const { reason } = reader.properties();
      return { kind, id, code: reader.byte(), reason };
    }
    case Kind.disconnect: return { kind, code: reader.isAtEnd ? 0 : reader.byte(), ...reader.properties() };
    default: return { kind };
  }
}

/** Cuts what comes into packets, however the network has cut it. */
export class PacketStream {
  #waiting = new Uint8Array();

  /** The packets that are whole now. Throws for what is no MQTT. */
  *receive(bytes) {
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    let place = 0;
    for (;;) {
      const head = length(all, place + 1);
      if (head === undefined || head.end + head.value > all.length) break;
      const packet = read(all[place] >> 4, all[place] & 0x0f, all.subarray(head.end, head.end + head.value));
      place = head.end + head.value;
      yield packet;
    }
    this.#waiting = all.slice(place);
  }
}

/** The length that stands at a place, and where it ends; undefined when it is not all there. */
function length(bytes, place) {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    if (place + index >= bytes.length) return undefined;
    value += (bytes[place + index] & 0x7f) * 128 ** index;
    if (bytes[place + index] < 0x80) return { value, end: place + index + 1 };
  }
  throw new RangeError("a length of more than four bytes");
}
