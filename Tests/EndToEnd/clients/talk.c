/* Eclipse Paho's C client, libpaho: subscribes, publishes with every QoS, leaves and comes back to its session, and tells what it got.
   Usage: talk URL VERSION [CA CERTIFICATE KEY] */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check(int code, const char *what) {
    if (code != MQTTCLIENT_SUCCESS) {
        fprintf(stderr, "%s: %d (%s)\n", what, code, MQTTClient_strerror(code) ? MQTTClient_strerror(code) : "");
        exit(1);
    }
}

static MQTTClient make(const char *url, int version, const char *name) {
    MQTTClient client;
    MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
    options.MQTTVersion = version;
    check(MQTTClient_createWithOptions(&client, url, name, MQTTCLIENT_PERSISTENCE_NONE, NULL, &options), "create");
    return client;
}

static void open_connection(MQTTClient client, int version, int clean, MQTTClient_SSLOptions *tls) {
    if (version == MQTTVERSION_5) {
        MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
        MQTTProperties properties = MQTTProperties_initializer;
        MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, .value.integer4 = 60};
        options.cleanstart = clean;
        options.ssl = tls;
        check(MQTTProperties_add(&properties, &expiry), "session expiry");
        MQTTResponse response = MQTTClient_connect5(client, &options, &properties, NULL);
        check(response.reasonCode, "connect");
        MQTTProperties_free(&properties);
        MQTTResponse_free(response);
        return;
    }
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    options.MQTTVersion = version;
    options.cleansession = clean;
    options.ssl = tls;
    check(MQTTClient_connect(client, &options), "connect");
}

static void subscribe(MQTTClient client, int version, const char *filter) {
    if (version != MQTTVERSION_5) {
        check(MQTTClient_subscribe(client, filter, 2), "subscribe");
        return;
    }
    MQTTResponse response = MQTTClient_subscribe5(client, filter, 2, NULL, NULL);
    printf("granted %d\n", (int)response.reasonCode);
    MQTTResponse_free(response);
}

static void publish(MQTTClient client, int version, const char *topic, int qos) {
    MQTTClient_message message = MQTTClient_message_initializer;
    MQTTClient_deliveryToken token;
    char payload[] = "message ?";
    payload[strlen(payload) - 1] = (char)('0' + qos);
    message.payload = payload;
    message.payloadlen = (int)strlen(payload);
    message.qos = qos;
    if (version == MQTTVERSION_5) {
        MQTTProperty user = {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY};
        user.value.data = (MQTTLenString){.len = 3, .data = "key"};
        user.value.value = (MQTTLenString){.len = 5, .data = "value"};
        check(MQTTProperties_add(&message.properties, &user), "user property");
        MQTTResponse response = MQTTClient_publishMessage5(client, topic, &message, &token);
        check(response.reasonCode, "publish");
        MQTTResponse_free(response);
        MQTTProperties_free(&message.properties);
    } else {
        check(MQTTClient_publishMessage(client, topic, &message, &token), "publish");
    }
    if (qos > 0) check(MQTTClient_waitForCompletion(client, token, 10000), "acknowledgement");
}

static void receive(MQTTClient client) {
    char *topic = NULL;
    int length = 0;
    MQTTClient_message *message = NULL;
    check(MQTTClient_receive(client, &topic, &length, &message, 10000), "receive");
    if (message == NULL) check(MQTTCLIENT_FAILURE, "receive in time");
    printf("received %.*s qos %d properties %d\n", message->payloadlen, (char *)message->payload, message->qos, message->properties.count);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
}

int main(int count, char **arguments) {
    if (count != 3 && count != 6) {
        fprintf(stderr, "usage: talk URL VERSION [CA CERTIFICATE KEY]\n");
        return 2;
    }
    int version = atoi(arguments[2]) == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    MQTTClient_SSLOptions options = MQTTClient_SSLOptions_initializer, *tls = NULL;
    if (count == 6) {
        options.trustStore = arguments[3];
        options.keyStore = arguments[4];
        options.privateKey = arguments[5];
        options.verify = 1;
        tls = &options;
    }
    char name[64], filter[80], topic[80];
    snprintf(name, sizeof name, "libpaho-%d", (int)getpid());
    snprintf(filter, sizeof filter, "%s/#", name);
    MQTTClient client = make(arguments[1], version, name);
    open_connection(client, version, version == MQTTVERSION_5, tls);
    subscribe(client, version, filter);
    for (int qos = 0; qos <= 2; qos++) {
        snprintf(topic, sizeof topic, "%s/%d", name, qos);
        publish(client, version, topic, qos);
        receive(client);
    }
    check(MQTTClient_disconnect(client, 1000), "disconnect");
    /* Its subscription is still there. */
    open_connection(client, version, 0, tls);
    publish(client, version, topic, 1);
    receive(client);
    check(MQTTClient_unsubscribe(client, filter), "unsubscribe");
    check(MQTTClient_disconnect(client, 1000), "disconnect");
    MQTTClient_destroy(&client);
    return 0;
}
