// A client of MQTT 5 over WebSocket that stays connected: what it is subscribed to and what it has not yet published outlive a connection.

import * as packets from "./packets.js";

const { Kind } = packets;

/** Refusals that trying again does not mend: of the user, the client's name, the rights, the protocol. */
const lasting = new Set([0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c]);
const takenOver = 0x8e;

const words = new Map([
  [0x80, "unspecified error"], [0x83, "the broker cannot do that"], [0x85, "the client's name is not valid"],
  [0x86, "the user or the password is not right"], [0x87, "not allowed"], [0x88, "the broker is not available"],
  [0x89, "the broker is busy"], [0x8b, "the broker is shutting down"], [0x8d, "silent for too long"],
  [takenOver, "another window took over"], [0x93, "too many messages at once"], [0x97, "a quota is used up"],
  [0x98, "ended by an operator"],
]);

/** What a reason code says, in words. */
export const reasonText = (code) => words.get(code) ?? `reason 0x${code.toString(16).padStart(2, "0")}`;

/** An answer that says no. */
export class Refusal extends Error {
  constructor(code, reason) {
    super(reason ?? reasonText(code));
    this.code = code;
  }
}

/**
 * Dispatches `state` whenever it changes, with `detail`:
 * `{ name: "connecting" | "connected" | "waiting" | "refused" | "stopped", reason, retrySeconds }`.
 */
export class MqttClient extends EventTarget {
  static firstRetrySeconds = 1;
  static lastRetrySeconds = 8;
  static connectSeconds = 10;
  static waitingPublishesMax = 100;

  #options;
  #socket;
  #isWanted = false;
  #isConnected = false;
  #retries = 0;
  #timers = { retry: undefined, connect: undefined, ping: undefined, pong: undefined };
  #nextID = 1;
  /** By filter: { qos, receive, answer }. */
  #subscriptions = new Map();
  /** By packet identifier: { topic, payload, retain, resolve, reject }. In the order in which they were asked for. */
  #publishes = new Map();
  /** By packet identifier: the filter that a SUBACK is for. */
  #asked = new Map();

  /** @param options `{ url, clientId, username, password, keepAlive }`; `keepAlive` in seconds. */
  constructor(options) {
    super();
    this.#options = { keepAlive: 60, ...options };
    addEventListener("online", () => this.#retryNow());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.#retryNow(); });
  }

  get isConnected() { return this.#isConnected; }

  start() {
    this.#isWanted = true;
    this.#open();
  }

  stop() {
    this.#isWanted = false;
    if (this.#isConnected) this.#send(packets.disconnect());
    this.#close();
    this.#giveUp("the client was stopped");
    this.#tell("stopped");
  }

  /**
   * Has `receive(topic, payload, retained)` called for every message, over all connections to come.
   *
   * Resolves with the quality of service that the broker grants first; rejects with a `Refusal`.
   */
  subscribe(filter, receive, qos = 1) {
    return new Promise((resolve, reject) => {
      this.#subscriptions.set(filter, { qos, receive, resolve, reject });
      if (this.#isConnected) this.#ask(filter);
    });
  }

  unsubscribe(filter) {
    if (this.#subscriptions.delete(filter) && this.#isConnected) this.#send(packets.unsubscribe(this.#identifier(), filter));
  }

  /** Publishes at QoS 1: resolves when the broker has it, after a reconnection if need be; rejects with a `Refusal`. */
  publish(topic, payload, { retain = false } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#publishes.size >= MqttClient.waitingPublishesMax) return reject(new Error("too many messages wait for the broker"));
      const id = this.#identifier();
      this.#publishes.set(id, { topic, payload, retain, resolve, reject });
      if (this.#isConnected) this.#sendPublish(id);
    });
  }

  // Connections

  #open() {
    clearTimeout(this.#timers.retry);
    if (this.#socket || !this.#isWanted) return;
    this.#tell("connecting");
    const stream = new packets.PacketStream();
    const socket = new WebSocket(this.#options.url, "mqtt");
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#timers.connect = setTimeout(() => this.#lose("no answer"), MqttClient.connectSeconds * 1_000);
    socket.onopen = () => this.#send(packets.connect(this.#options));
    socket.onclose = (event) => { if (this.#socket === socket) this.#lose(event.reason || "the connection ended"); };
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return;
      try {
        for (const packet of stream.receive(new Uint8Array(data))) this.#receive(packet);
      } catch (error) {
        this.#lose(`not MQTT: ${error.message}`);
      }
    };
  }

  #close() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    this.#asked.clear();
    if (socket) {
      socket.onopen = socket.onclose = socket.onmessage = null;
      socket.close();
    }
  }

  /** Ends a connection and begins another after a while: a second, twice as long each time, and not all clients at once. */
  #lose(reason) {
    this.#close();
    if (!this.#isWanted) return;
    const { firstRetrySeconds, lastRetrySeconds } = MqttClient;
    const longest = Math.min(firstRetrySeconds * 2 ** this.#retries, lastRetrySeconds);
    const seconds = longest * (0.75 + Math.random() / 4);
    this.#retries += 1;
    this.#timers.retry = setTimeout(() => this.#open(), seconds * 1_000);
    this.#tell("waiting", reason, Math.ceil(seconds));
  }

  /** Answers whoever still waits. */
  #giveUp(reason) {
    for (const { reject } of [...this.#publishes.values(), ...this.#subscriptions.values()]) reject(new Error(reason));
    this.#publishes.clear();
  }

  #refuse(reason) {
    this.#isWanted = false;
    this.#close();
    this.#giveUp(reason);
    this.#tell("refused", reason);
  }

  #retryNow() {
    if (this.#isWanted && !this.#socket) this.#open();
  }

  #ping() {
    clearTimeout(this.#timers.ping);
    this.#timers.ping = setTimeout(() => {
      this.#send(packets.pingreq());
      this.#timers.pong = setTimeout(() => this.#lose("the broker does not answer"), MqttClient.connectSeconds * 1_000);
    }, this.#options.keepAlive * 500);
  }

  // Packets

  #receive(packet) {
    switch (packet.kind) {
      case Kind.connack: return this.#receiveConnack(packet);
      case Kind.publish: {
        // Acknowledged first: a page that cannot read a message would get it again for ever.
        if (packet.qos === 1) this.#send(packets.puback(packet.id));
        for (const [filter, subscription] of this.#subscriptions) {
          if (matches(filter, packet.topic)) subscription.receive(packet.topic, packet.payload, packet.retained);
        }
        return;
      }
      case Kind.puback: {
        const publish = this.#publishes.get(packet.id);
        this.#publishes.delete(packet.id);
        if (packet.code >= 0x80) publish?.reject(new Refusal(packet.code, packet.reason));
        else publish?.resolve();
        return;
      }
      case Kind.suback: {
        const subscription = this.#subscriptions.get(this.#asked.get(packet.id));
        if (packet.code >= 0x80) {
          this.#subscriptions.delete(this.#asked.get(packet.id));
          subscription?.reject(new Refusal(packet.code, packet.reason));
        } else {
          subscription?.resolve(packet.code);
        }
        this.#asked.delete(packet.id);
        return;
      }
      case Kind.pingresp:
        clearTimeout(this.#timers.pong);
        return this.#ping();
      case Kind.disconnect: {
        const reason = packet.reason ?? reasonText(packet.code);
        return packet.code === takenOver || lasting.has(packet.code) ? this.#refuse(reason) : this.#lose(reason);
      }
    }
  }

  #receiveConnack({ code, reason, keepAlive }) {
    clearTimeout(this.#timers.connect);
    if (code >= 0x80) {
      const text = reason ?? reasonText(code);
      return lasting.has(code) ? this.#refuse(text) : this.#lose(text);
    }
    if (keepAlive) this.#options.keepAlive = keepAlive;
    this.#isConnected = true;
    this.#retries = 0;
    for (const filter of this.#subscriptions.keys()) this.#ask(filter);
    for (const id of this.#publishes.keys()) this.#sendPublish(id);
    this.#ping();
    this.#tell("connected");
  }

  #ask(filter) {
    const id = this.#identifier();
    this.#asked.set(id, filter);
    this.#send(packets.subscribe(id, filter, this.#subscriptions.get(filter).qos));
  }

  #sendPublish(id) {
    const { topic, payload, retain } = this.#publishes.get(id);
    // A session ends with its connection, so what is sent again is sent for the first time in its session.
    this.#send(packets.publish(id, topic, payload, { qos: 1, retain, again: false }));
  }

  #send(bytes) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #identifier() {
    do {
      this.#nextID = (this.#nextID % 0xffff) + 1;
    } while (this.#publishes.has(this.#nextID) || this.#asked.has(this.#nextID));
    return this.#nextID;
  }

  #tell(name, reason, retrySeconds) {
    this.dispatchEvent(new CustomEvent("state", { detail: { name, reason, retrySeconds } }));
  }
}

/** Whether a topic is one of a filter's (OASIS MQTT 5.0, section 4.7). */
export function matches(filter, topic) {
  const levels = filter.split("/");
  const names = topic.split("/");
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
  for (const [index, level] of levels.entries()) {
    if (level === "#") return true;
    if (index >= names.length || (level !== "+" && level !== names[index])) return false;
  }
  return levels.length === names.length;
}
