"""The console in a real browser: every view with live data, restarts, hostile names, sign-in, and what people can do there."""

import json
import subprocess
import time
import unittest
import urllib.error
import urllib.request

import accessible
from broker import Broker, CREMA, SHOP, free_port, run
from browser import CHROMIUM, Browser

LIVE = "document.querySelector('#connection').dataset.state === 'connected'"
VIEWS = ["overview", "topics", "topics/tail", "topics/publish", "topics/retained", "clients", "subscriptions", "rules", "deadletters",
         "archive", "destinations", "certificates", "log"]
# Markup, an override of direction, a character without width, a control character: none may act, and none may hide.
HOSTILE = "<img src=x onerror=document.title='owned'>\u202eevil\u200b"
TOKEN = "0123456789abcdef0123456789abcdef"
ARCHIVE = """
Resources:
  AllOrders:
    Type: AWS::Events::Archive
    Properties: { ArchiveName: all-orders, SourceArn: 'arn:aws:events:us-east-1:000000000000:event-bus/Serverlesspresso' }
  Broken:
    Type: AWS::Events::Rule
    Properties:
      Name: broken
      EventBusName: Serverlesspresso
      EventPattern: { detail-type: [Nowhere] }
      Targets: [{ Id: topic, Arn: 'arn:aws:iot:us-east-1:000000000000:topic/nowhere/<place>', InputTransformer: { InputPathsMap: { place: $.detail.place }, InputTemplate: '"x"' } }]
  Key:
    Type: AWS::Events::Connection
    Properties:
      Name: till-key
      AuthorizationType: API_KEY
      AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: x-key, ApiKeyValue: planted-secret } }
  Till:
    Type: AWS::Events::ApiDestination
    Properties: { Name: till, ConnectionArn: !GetAtt Key.Arn, HttpMethod: POST, InvocationEndpoint: 'https://till.example/orders?key=planted-secret' }
"""


@unittest.skipUnless(CHROMIUM, "Debian's chromium is not installed")
class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.end)
        cls.closed = free_port()
        cls.broker = Broker(
            SHOP / "shop.yaml", SHOP / "api.yaml", "archive.yaml", parameters={"CoreEventBusName": "Serverlesspresso"},
            listeners=[{"protocol": "admin", "bind": f"127.0.0.1:{cls.closed}", "adminToken": "admin-token"}],
            files={"archive.yaml": ARCHIVE, "admin-token": f"{TOKEN}\n"})
        cls.addClassCleanup(cls.broker.end)

    def setUp(self):
        self.pages = []
        self.expected_errors = ()
        self.origin = f"http://127.0.0.1:{self.broker.admin}"

    def tearDown(self):
        for page in self.pages:
            page.close()
        for page in self.pages:
            errors = [error for error in page.errors if not any(text in error for text in self.expected_errors)]
            self.assertEqual(errors, [])
            self.assertEqual(page.foreign_requests("http://127.0.0.1:"), [])

    def open(self, view="overview", **options):
        page = self.browser.open(f"{self.origin}/#/{view}", **options)
        self.pages.append(page)
        page.wait(LIVE)
        return page

    def show(self, page, view):
        page.evaluate(f"location.hash = '#/{view}'")
        page.wait(f"document.querySelector('h1') && location.hash.startsWith('#/{view}') && !document.querySelector('.view-{view.split('/')[0]}:empty')")

    def client(self, *options):
        """A subscriber that stays until the test ends."""
        client = subprocess.Popen(["mosquitto_sub", "-p", str(self.broker.mqtt), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait)
        self.addCleanup(client.terminate)
        return client

    def publish(self, topic, payload, *options):
        run("mosquitto_pub", "-p", str(self.broker.mqtt), "-q", "1", "-t", topic, "-m", payload, *options)

    def load(self, seconds=15):
        """Messages every few milliseconds, for the figures."""
        loop = f"i=0; while [ $i -lt {seconds * 100} ]; do i=$((i+1)); echo \"{{\\\"n\\\": $i}}\"; sleep 0.01; done"
        load = subprocess.Popen(f"({loop}) | mosquitto_pub -p {self.broker.mqtt} -q 1 -t load/one -l -i loader", shell=True)
        self.addCleanup(load.wait)
        self.addCleanup(load.terminate)

    # What is seen

    def test_every_view_loads_and_shows_live_data_under_load(self):
        self.client("-t", "load/#", "-i", "reader")
        self.load()
        page = self.open()
        page.wait("[...document.querySelectorAll('.tile')].find((tile) => tile.innerText.includes('Messages in')).querySelector('.value').textContent > 10")
        page.wait("document.querySelector('.sparkline .line').getAttribute('d')?.split('L').length > 2")
        page.wait("document.querySelector('.view-overview table')?.innerText.includes('mqtts 127.0.0.1')")
        for view, seen in {
            "topics": "load", "clients": "reader", "subscriptions": "load/#", "rules": "UserStatus", "archive": "all-orders",
            "certificates": "localhost", "log": "info", "destinations": "till-key", "topics/retained": "etained", "deadletters": "ead letter", "topics/publish": "Payload",
        }.items():
            with self.subTest(view=view):
                self.show(page, view)
                page.wait(f"document.querySelector('main').innerText.includes({json.dumps(seen)})")
                self.assertFalse(page.evaluate("!!document.querySelector('.failed')"), page.text())

    def test_the_tree_opens_level_by_level_and_tells_of_a_topic(self):
        self.client("-t", "orders/+/grinder", "-i", "tree-reader")
        self.publish("orders/nyc/grinder", '{"beans":"Arabica"}', "-r")
        page = self.open("topics")
        for topic in ("orders", "orders/nyc"):
            page.click(f"tr[data-topic='{topic}'] .opener[aria-expanded=false]")
        page.wait("document.querySelector('tr[data-topic=\"orders/nyc/grinder\"]')?.innerText.includes('retained')")
        page.click("tr[data-topic='orders/nyc/grinder'] .link")
        page.wait("document.querySelector('.detail').innerText.includes('\"beans\": \"Arabica\"')")
        page.wait("document.querySelector('.detail').innerText.includes('tree-reader')")
        self.assertEqual(accessible.problems(page), [])
        page.type("input[type=search]", "grind")
        page.wait("document.querySelectorAll('table.tree tbody tr').length === 1")

    def test_the_console_survives_a_restart_of_the_broker_and_says_so_meanwhile(self):
        self.expected_errors = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
        page = self.open("clients")
        self.broker.kill()
        page.wait("document.querySelector('#connection').dataset.state === 'waiting'")
        self.assertIn("Reconnecting", page.evaluate("document.querySelector('#connection').innerText"))
        page.wait("document.querySelector('.failed')?.innerText.includes('does not answer')")
        self.broker.start()
        self.broker.wait_until_ready()
        page.wait(LIVE)
        self.client("-t", "after/restart", "-i", "came-after")
        page.wait("document.querySelector('main').innerText.includes('came-after')")
        self.assertFalse(page.evaluate("!!document.querySelector('.failed')"))

    def test_what_is_hostile_shows_as_text_in_every_view(self):
        """Threat 63"""
        self.client("-t", f"{HOSTILE}/#", "-i", HOSTILE, "-u", HOSTILE)
        page = self.open("topics/tail?filter=%23")
        page.wait("document.querySelector('[role=status].soft').textContent.includes('Following')")
        self.publish(f"{HOSTILE}/x", HOSTILE, "-r")
        self.publish("control", "\x1b[31mred\x07")
        page.wait("document.querySelector('.messages')?.innerText.includes('⟨U+202E⟩')")
        page.wait("document.querySelector('.messages')?.innerText.includes('⟨U+001B⟩[31mred⟨U+0007⟩')")
        self.assert_text_only(page)
        seen = {"topics": "<img", "topics/retained": "<img", "clients": "<img", "subscriptions": "<img", "overview": ""}
        for view, text in seen.items():
            with self.subTest(view=view):
                self.show(page, view)
                page.wait(f"document.querySelector('main').innerText.includes({json.dumps(text)})")
                self.assert_text_only(page)
        self.show(page, "clients")
        page.wait("[...document.querySelectorAll('main a')].some((link) => link.textContent.includes('<img'))")
        page.evaluate("[...document.querySelectorAll('main a')].find((link) => link.textContent.includes('<img')).click()")
        page.wait("document.querySelector('dl.facts')?.innerText.includes('3.1.1')")
        page.wait("document.querySelector('main').innerText.includes('⟨U+202E⟩')")
        self.assert_text_only(page)
        event = json.dumps({"detail-type": HOSTILE, "source": HOSTILE, "detail": {"place": HOSTILE}})
        self.show(page, "rules")
        page.evaluate(
            f"(() => {{ const [pattern, event] = document.querySelectorAll('textarea'); pattern.value = JSON.stringify({{ source: [{json.dumps(HOSTILE)}] }}); event.value = {json.dumps(event)}; }})()")
        page.click(".view-rules form [type=submit]")
        page.wait("document.querySelector('.trial')?.innerText.includes('<img')")
        self.assert_text_only(page)
        self.put("Nowhere", {"place": HOSTILE + "/#"})
        self.show(page, "deadletters")
        page.wait("document.querySelector('.view-deadletters table')")
        page.click("details summary")
        page.wait("document.querySelector('details[open] pre').innerText.includes('<img')")
        self.assert_text_only(page)

    def assert_text_only(self, page):
        self.assertEqual(page.evaluate("document.querySelectorAll('main img, main script, main iframe').length"), 0)
        self.assertNotEqual(page.evaluate("document.title"), "owned")
        # Nothing that hides or turns what is read is left as it was.
        self.assertFalse(page.evaluate(r"/[\u202a-\u202e\u2066-\u2069\u200b\u001b\u0007]/.test(document.querySelector('main').innerText)"))

    def put(self, kind, detail):
        entry = {"Source": "shop", "EventBusName": "Serverlesspresso", "DetailType": kind, "Detail": json.dumps(detail)}
        self.assertEqual(self.call("PutEvents", Entries=[entry])["FailedEntryCount"], 0)

    def call(self, operation, **arguments):
        request = urllib.request.Request(self.broker.url, json.dumps(arguments).encode(), {
            "X-Amz-Target": f"AWSEvents.{operation}", "Content-Type": "application/x-amz-json-1.1"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    # What is done

    def test_a_message_is_published_tailed_and_its_retained_one_removed(self):
        tail = self.open("topics/tail?filter=bar/%23")
        tail.wait("document.querySelector('[role=status].soft').textContent.includes('Following')")
        page = self.open("topics/publish?topic=bar/cups")
        page.type("textarea", '{"cups": 3}')
        page.click("input[type=checkbox]")
        page.click("form [type=submit]")
        page.wait("document.querySelector('main [role=status]').textContent.includes('Published')")
        tail.wait("document.querySelector('.messages').innerText.includes('\"cups\": 3')")
        tail.click(".controls button[aria-pressed]")
        self.publish("bar/cups", "while paused")
        self.show(page, "topics/retained?filter=bar/%23")
        page.wait("document.querySelector('main table')?.innerText.includes('bar/cups')")
        page.click("form [type=submit]")
        page.wait("document.querySelector('dialog').open && document.querySelector('dialog').innerText.includes('bar/cups')")
        self.assertEqual(accessible.problems(page), [])
        page.press("Escape")
        page.wait("!document.querySelector('dialog').open")
        self.assertIn("bar/cups", page.text())
        page.click("form [type=submit]")
        page.click("dialog [value=yes]")
        page.wait("document.querySelector('main [role=status]').textContent.includes('1 removed')")
        page.wait("document.querySelector('.empty')")
        self.assertNotIn("while paused", tail.text())

    def test_a_client_is_traced_and_disconnected_after_a_question(self):
        client = self.client("-t", "trace/me", "-i", "traced", "-c", "-q", "1")
        page = self.open("clients/traced")
        page.wait("document.querySelector('main').innerText.includes('trace/me')")
        page.evaluate("[...document.querySelectorAll('button')].find((button) => button.textContent === 'Start the trace').click()")
        page.wait("document.querySelector('main').innerText.includes('Tracing')")
        time.sleep(0.5)
        self.publish("trace/me", "hi")
        page.wait("document.querySelector('.lines').innerText.includes('PUBLISH')")
        page.click("main button.danger")
        page.wait("document.querySelector('dialog').open")
        page.click("dialog [value=no]")
        self.assertIsNone(client.poll())
        self.assertNotIn("kicked", self.broker.log())
        page.click("main button.danger")
        page.click("dialog input[type=checkbox]")
        page.click("dialog [value=yes]")
        page.wait("location.hash === '#/clients'")
        self.broker.wait_for_log("traced", "kicked", "connection closed")

    def test_a_rule_says_field_by_field_why_it_does_not_match(self):
        page = self.open("rules")
        page.wait("document.querySelector('main table')")
        page.evaluate("[...document.querySelectorAll('main a')].find((link) => link.textContent.includes('UserStatus')).click()")
        page.wait("document.querySelector('main').innerText.includes('shop.yaml')")
        page.click("form [type=submit]")
        page.wait("document.querySelector('.verdict')?.innerText.includes('It matches')")
        page.evaluate("document.querySelector('textarea').value = document.querySelector('textarea').value.replace('awsserverlessda', 'somebody')")
        page.click("form [type=submit]")
        page.wait("document.querySelector('.verdict')?.innerText.includes('does not match')")
        self.assertIn("missed", page.evaluate("document.querySelector('.trial table').innerText"))
        self.assertEqual(accessible.problems(page), [])

    def test_dead_letters_say_why_and_are_delivered_again(self):
        self.put("Nowhere", {"other": 1})
        page = self.open("deadletters")
        page.wait("document.querySelector('main table')?.innerText.includes('broken')")
        self.assertEqual(accessible.problems(page), [])
        page.click("tbody input[type=checkbox]")
        page.click("main button.primary")
        page.wait("document.querySelector('#news').textContent.includes('1 delivered again')")

    def test_whom_rules_call_is_shown_without_a_secret_and_why_one_is_not_called(self):
        page = self.open("destinations")
        page.wait("document.querySelectorAll('main table').length === 2")
        text = page.evaluate("document.querySelector('main').innerText")
        for part in ("till", "POST https://till.example/orders", "till-key", "active", "authorized", "API key", "archive.yaml:"):
            self.assertIn(part, text)
        self.assertNotIn("planted-secret", page.evaluate("document.documentElement.outerHTML"))
        key = self.call("CreateConnection", Name="other-key", AuthorizationType="API_KEY", AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "planted-secret"}})
        self.call("CreateApiDestination", Name="other", ConnectionArn=key["ConnectionArn"], HttpMethod="PUT", InvocationEndpoint="https://x.example/")
        self.call("DeauthorizeConnection", Name="other-key")
        page.wait("document.querySelector('main').innerText.includes('not called')")
        page.wait("document.querySelector('main').innerText.includes('not authorized')")
        self.assertEqual(accessible.problems(page), [])

    def test_events_are_replayed(self):
        self.put("OrderManager.MakeOrder", {"orderId": "1", "userId": "u", "eventId": "NYC"})
        page = self.open("archive")
        page.wait("document.querySelector('form select')?.value === 'all-orders'")
        page.evaluate("document.querySelectorAll('input[type=datetime-local]')[1].value = document.querySelectorAll('input[type=datetime-local]')[1].value.replace(/^\\d+/, (year) => Number(year) + 1)")
        page.click("form [type=submit]")
        page.click("dialog [value=yes]")
        page.wait("[...document.querySelectorAll('table')].at(-1).innerText.includes('completed')")

    def test_the_logs_level_is_changed_for_a_while(self):
        page = self.open("log")
        page.evaluate("(() => { const level = document.querySelector('select'); level.value = 'debug'; })()")
        page.click("form.controls [type=submit]")
        page.wait("document.querySelector('main').innerText.includes('level debug')")
        self.publish("log/me", "x", "-i", "seen-in-the-log")
        page.evaluate("(() => { const shown = document.querySelectorAll('select')[2]; shown.value = 'debug'; shown.dispatchEvent(new Event('change')); })()")
        page.wait("document.querySelector('.lines').innerText.includes('debug')")
        self.publish("log/me", "x", "-i", "seen-in-the-log")
        page.wait("document.querySelector('.lines').innerText.includes('seen-in-the-log')")

    # Who may

    def test_a_listener_with_a_token_asks_for_it_and_keeps_it_in_the_tab_only(self):
        self.expected_errors = ("401",)
        page = self.browser.open(f"http://127.0.0.1:{self.closed}/")
        self.pages.append(page)
        page.wait("document.querySelector('.sign-in')")
        self.assertEqual(accessible.problems(page), [])
        page.type("#token", "wrong")
        page.press("Enter")
        page.wait("document.querySelector('.sign-in .problem').textContent.includes('refused')")
        page.type("#token", TOKEN)
        page.press("Enter")
        page.wait(LIVE)
        self.assertEqual(page.evaluate("localStorage.length + document.cookie.length"), 0)
        self.assertNotIn(TOKEN, page.evaluate("location.href + document.documentElement.outerHTML"))
        page.click("#sign-out")
        page.wait("document.querySelector('.sign-in') && sessionStorage.length === 0")

    def test_the_pages_may_do_nothing_but_ask_the_broker(self):
        with urllib.request.urlopen(f"{self.origin}/") as answer:
            policy = answer.headers["Content-Security-Policy"]
            tag = answer.headers["ETag"]
        self.assertIn("default-src 'self'", policy)
        self.assertIn("require-trusted-types-for 'script'", policy)
        self.assertNotIn("unsafe", policy)
        with self.assertRaises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(urllib.request.Request(f"{self.origin}/", headers={"If-None-Match": tag}))
        self.assertEqual(refusal.exception.code, 304)
        refusal.exception.close()
        # A name that was given this address (rebinding) opens nothing.
        with self.assertRaises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(urllib.request.Request(f"{self.origin}/", headers={"Host": "evil.example"}))
        self.assertEqual(refusal.exception.code, 403)
        refusal.exception.close()
        page = self.open()
        self.expected_errors = ("Content Security Policy", "TrustedHTML", "Trusted")
        self.assertEqual(page.evaluate("(() => { const script = document.createElement('script'); try { script.textContent = 'window.owned = 1'; document.body.append(script); } catch { } return typeof window.owned; })()"), "undefined")
        self.assertEqual(page.evaluate("(() => { try { document.body.innerHTML = 'x'; return 'set'; } catch { return 'refused'; } })()"), "refused")

    # How

    def test_people_who_see_hear_and_point_otherwise_can_use_every_view(self):
        self.client("-t", "access/#", "-i", "access-reader")
        self.publish("access/one", '{"a": 1}', "-r")
        for dark, width in ((False, 1280), (True, 1280), (False, 360), (True, 390)):
            page = self.open(width=width, height=800, dark=dark, phone=width < 500)
            for view in [*VIEWS, "clients/access-reader", "rules/broken"]:
                with self.subTest(view=view, dark=dark, width=width):
                    self.show(page, view)
                    time.sleep(0.3)
                    page.wait("!document.querySelector('main').innerText.includes('Loading')")
                    self.assertEqual(accessible.problems(page), [])
                    self.assertEqual(accessible.keyboard_problems(page), [])

    def test_rows_that_are_fetched_anew_leave_the_focus_where_it_is(self):
        going = self.client("-t", "focus/a", "-i", "focus-a")
        self.client("-t", "focus/b", "-i", "focus-b")
        page = self.open("clients?search=focus-&sort=id", width=820)
        page.wait("document.querySelectorAll('main tbody tr').length === 2")
        # At another name and to the side, as somebody reads who works with the keyboard.
        page.evaluate("""{
            window.links = [...document.querySelectorAll('main tbody a')];
            window.links[1].focus();
            document.querySelector('main .scroll').scrollLeft = 40;
            window.side = document.querySelector('main .scroll').scrollLeft;
        }""")
        page.wait("!document.contains(window.links[1])")
        self.assertEqual(page.evaluate("document.activeElement.textContent"), "focus-b")
        self.assertEqual(page.evaluate("document.querySelector('main .scroll').scrollLeft"), page.evaluate("window.side"))
        # What it was on has gone: it stays in the table.
        page.evaluate("document.querySelector('main tbody a').focus()")
        going.terminate()
        page.wait("document.querySelectorAll('main tbody tr').length === 1")
        self.assertTrue(page.evaluate("document.querySelector('main .scroll').contains(document.activeElement)"), page.text())
        # Who is elsewhere stays there.
        page.evaluate("{ window.link = document.querySelector('main tbody a'); document.querySelector('input[type=search]').focus(); }")
        page.wait("!document.contains(window.link)")
        self.assertEqual(page.evaluate("document.activeElement.type"), "search")

    def test_the_menu_works_on_a_phone_and_with_the_keyboard(self):
        page = self.open(width=390, height=844, phone=True)
        page.press("Tab")
        self.assertEqual(page.evaluate("document.activeElement.className"), "skip")
        self.assertFalse(page.evaluate("document.querySelector('#views').checkVisibility()"))
        page.click("#menu")
        self.assertEqual(accessible.problems(page), [])
        page.click("#views a[data-view=clients]")
        page.wait("document.querySelector('h1').textContent === 'Clients' && !document.querySelector('#views').checkVisibility()")
        self.assertEqual(page.evaluate("document.activeElement.id"), "view")


if __name__ == "__main__":
    unittest.main()
