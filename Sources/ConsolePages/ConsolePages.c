#include "ConsolePages.h"

// Swift's own compiler knows #embed, and that the object depends on the file (C23, section 6.10.4).
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "pages/index.html"
};
static const unsigned char console_api_js[] = {
#embed "pages/console/api.js"
};
static const unsigned char console_chart_js[] = {
#embed "pages/console/chart.js"
};
static const unsigned char console_console_css[] = {
#embed "pages/console/console.css"
};
static const unsigned char console_dom_js[] = {
#embed "pages/console/dom.js"
};
static const unsigned char console_icon_svg[] = {
#embed "pages/console/icon.svg"
};
static const unsigned char console_main_js[] = {
#embed "pages/console/main.js"
};
static const unsigned char console_refresh_js[] = {
#embed "pages/console/refresh.js"
};
static const unsigned char console_views_archive_js[] = {
#embed "pages/console/views/archive.js"
};
static const unsigned char console_views_certificates_js[] = {
#embed "pages/console/views/certificates.js"
};
static const unsigned char console_views_clients_js[] = {
#embed "pages/console/views/clients.js"
};
static const unsigned char console_views_deadletters_js[] = {
#embed "pages/console/views/deadletters.js"
};
static const unsigned char console_views_destinations_js[] = {
#embed "pages/console/views/destinations.js"
};
static const unsigned char console_views_log_js[] = {
#embed "pages/console/views/log.js"
};
static const unsigned char console_views_overview_js[] = {
#embed "pages/console/views/overview.js"
};
static const unsigned char console_views_rules_js[] = {
#embed "pages/console/views/rules.js"
};
static const unsigned char console_views_subscriptions_js[] = {
#embed "pages/console/views/subscriptions.js"
};
static const unsigned char console_views_topics_publish_js[] = {
#embed "pages/console/views/topics-publish.js"
};
static const unsigned char console_views_topics_retained_js[] = {
#embed "pages/console/views/topics-retained.js"
};
static const unsigned char console_views_topics_tail_js[] = {
#embed "pages/console/views/topics-tail.js"
};
static const unsigned char console_views_topics_tree_js[] = {
#embed "pages/console/views/topics-tree.js"
};
static const unsigned char console_views_topics_js[] = {
#embed "pages/console/views/topics.js"
};

#define FILE(path, bytes) {path, bytes, sizeof(bytes)}

// A test compares these with the folder.
static const struct console_file files[] = {
    FILE("/index.html", index_html),
    FILE("/console/api.js", console_api_js),
    FILE("/console/chart.js", console_chart_js),
    FILE("/console/console.css", console_console_css),
    FILE("/console/dom.js", console_dom_js),
    FILE("/console/icon.svg", console_icon_svg),
    FILE("/console/main.js", console_main_js),
    FILE("/console/refresh.js", console_refresh_js),
    FILE("/console/views/archive.js", console_views_archive_js),
    FILE("/console/views/certificates.js", console_views_certificates_js),
    FILE("/console/views/clients.js", console_views_clients_js),
    FILE("/console/views/deadletters.js", console_views_deadletters_js),
    FILE("/console/views/destinations.js", console_views_destinations_js),
    FILE("/console/views/log.js", console_views_log_js),
    FILE("/console/views/overview.js", console_views_overview_js),
    FILE("/console/views/rules.js", console_views_rules_js),
    FILE("/console/views/subscriptions.js", console_views_subscriptions_js),
    FILE("/console/views/topics-publish.js", console_views_topics_publish_js),
    FILE("/console/views/topics-retained.js", console_views_topics_retained_js),
    FILE("/console/views/topics-tail.js", console_views_topics_tail_js),
    FILE("/console/views/topics-tree.js", console_views_topics_tree_js),
    FILE("/console/views/topics.js", console_views_topics_js),
};

const struct console_file *console_file_at(size_t index) {
    return index < sizeof(files) / sizeof(files[0]) ? &files[index] : NULL;
}
