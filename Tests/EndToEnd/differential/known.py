"""Where Debian's mosquitto 2.0.11 does something else than Crema, and why both may, or why mosquitto must not."""

from .states import Choices

# mosquitto's own default; it is also how many QoS 2 messages it takes before it closes the connection.
INFLIGHT = 20

# Name of the choice in the model: mosquitto's value, the clause, and what it says.
DIFFERENCES = {
    "one_copy": (
        False, "[MQTT-3.3.5-1] [MQTT5-3.3.4-2]",
        "Overlapping subscriptions: mosquitto sends a copy for each, Crema one with the highest QoS. Both may."),
    "qos2_at_pubrel": (
        True, "[MQTT-4.3.3-2] [MQTT5-4.3.3-8], figure 4.3, methods A and B",
        "mosquitto passes a QoS 2 message on when PUBREL comes, Crema when PUBLISH comes. Both may."),
    "will_at_takeover": (
        False, "[MQTT-3.1.2-8] [MQTT5-3.1.2-8]",
        "mosquitto publishes no will when a connection that keeps its session is taken over. It must."),
    "tells_unknown_identifier": (
        False, "MQTT 5, table 3-7",
        "mosquitto answers PUBREL for an unknown identifier with PUBCOMP 0, Crema with 0x92. 0x92 is what it is for."),
    "shared_prefers_connected": (
        False, "MQTT 5, section 4.8.2",
        "mosquitto may choose a member of a shared subscription that is not connected, and drops a QoS 0 message then. Both may."),
    "retained_waits_for_window": (
        False, "MQTT 5, section 3.8.4",
        "Retained messages for a new subscription wait in mosquitto's queue as they are; Crema sends the newest. Both may."),
    "resends_within_window": (
        False, "[MQTT5-3.3.4-9]",
        "mosquitto sends again all that is unfinished when a client comes back, also beyond its Receive Maximum. It must not."),
    "shared_gets_no_retained": (
        False, "MQTT 5, section 4.8.2",
        "mosquitto sends retained messages for a new shared subscription. It should not."),
    "no_local_of_retained": (
        False, "[MQTT5-3.8.3-3]",
        "mosquitto sends a client its own retained messages for a subscription with No Local. It must not."),
    "keeps_to_window": (
        False, "[MQTT5-3.3.4-9]",
        "mosquitto takes more than one message from its queue when one is acknowledged, beyond the window. In MQTT 5 it must not."),
    "resubscribing_replaces": (
        False, "[MQTT5-3.8.4-3]",
        "mosquitto keeps No Local and Retain As Published of the older subscription with the same filter. It must not."),
    "second_connect_keeps": (
        False, "[MQTT-3.1.2-8] [MQTT5-3.1.2-8]",
        "mosquitto forgets the session and the will of a client that sends a second CONNECT. It must keep one and publish the other."),
    "will_spares_connection": (
        False, "[MQTT-3.1.2-8] [MQTT5-3.1.2-8]",
        "mosquitto publishes the will of a connection that is taken over before it closes it, so that it gets its own. Both may."),
    "takes_duplicates": (
        False, "[MQTT-4.3.3-2] [MQTT5-4.3.3-10]",
        "mosquitto closes the connection of a client that sends a QoS 2 message again and again. It must not, so it gets none."),
    "refusal_frees_window": (
        False, "[MQTT5-4.9.0-2]",
        "mosquitto does not count a PUBREC with an error as the end of a message. It must. Not sent there."),
    "tolerates": (
        frozenset({"PINGRESP", "DUP at QoS 0", "SUBACK", "flags of PINGREQ"}), "MQTT 3.1.1 and MQTT 5, tables 2-1 and 2-2; [MQTT-2.2.2-2]",
        "mosquitto takes some packets with reserved flags, or that only a server sends. It must close the connection."),
}


def mosquitto():
    return Choices(inflight=INFLIGHT, span=1_000_000, **{name: value for name, (value, _, _) in DIFFERENCES.items()})


def tell(counts):
    for name, (_, clause, words) in DIFFERENCES.items():
        if counts.get(name):
            print(f"{counts[name]:8} times {clause}: {words}")
