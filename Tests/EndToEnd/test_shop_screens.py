"""The shop's screens in a real browser: an order from the customer's phone to the barista, the display and back."""

import json
import unittest
import urllib.request

import accessible
from browser import CHROMIUM, Browser
from shop import Shop

CONNECTED = "document.querySelector('#connection').dataset.state === 'connected'"
STAGE = "document.querySelector('#ticket').dataset.stage === '{}'"


@unittest.skipUnless(CHROMIUM, "Debian's chromium is not installed")
class ShopScreens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.end()

    def setUp(self):
        self.shop = Shop()
        self.pages = []
        # What a test makes the browser complain of.
        self.expected_errors = ()

    def tearDown(self):
        for page in self.pages:
            page.close()
        self.shop.end()
        for page in self.pages:
            errors = [error for error in page.errors if not any(text in error for text in self.expected_errors)]
            self.assertEqual(errors, [])
            self.assertEqual(page.foreign_requests(self.shop.origin, self.shop.origin.replace("http", "ws")), [])

    def screen(self, user, **options):
        options = {"width": 390, "height": 844, "phone": True, **options} if user in ("ana", "ben") else options
        page = self.browser.open(self.shop.links[user], **options)
        self.pages.append(page)
        page.wait(CONNECTED)
        return page

    def order(self, page, drink="cappuccino"):
        """Orders as a person does, and answers with what the customer reads out at the counter."""
        page.click(f"label:has(#{drink})")
        page.click("#send")
        page.wait(STAGE.format("waiting"))
        return page.evaluate("document.querySelector('#code').textContent")

    def test_an_order_goes_from_the_phone_to_the_display_and_back(self):
        ana, barista, display = self.screen("ana"), self.screen("barista"), self.screen("display")
        code = self.order(ana, "flat-white")
        barista.wait(f"document.querySelector('#waiting li').innerText.includes('{code}')")
        self.assertIn("Flat white", barista.evaluate("document.querySelector('#waiting li').innerText"))
        self.assertIn("Ana", barista.evaluate("document.querySelector('#waiting li').innerText"))
        display.wait(f"document.querySelector('#making').innerText.includes('{code}')")
        self.assertIn("Flat white", display.text())
        self.assertNotIn("Ana", display.text())
        barista.click("#waiting [data-action=Start]")
        ana.wait(STAGE.format("making"))
        barista.click("#making [data-action=Complete]")
        ana.wait(STAGE.format("ready"))
        self.assertIn("pick it up", ana.evaluate("document.querySelector('#status').textContent"))
        display.wait(f"document.querySelector('#ready').innerText.includes('{code}')")
        ana.click("#again")
        second = self.order(ana)
        self.assertNotEqual(second, code)
        barista.click("#waiting [data-action=Cancel]")
        barista.wait("document.querySelector('dialog').open")
        self.assertEqual(accessible.problems(barista), [])
        barista.click("dialog [value=cancel]")
        ana.wait(STAGE.format("cancelled"))
        display.wait(f"!document.querySelector('#making').innerText.includes('{second}')")

    def test_two_customers_at_once_never_see_each_other(self):
        ana, ben, barista = self.screen("ana"), self.screen("ben"), self.screen("barista")
        codes = self.order(ana), self.order(ben)
        barista.wait("document.querySelectorAll('#waiting li').length === 2")
        barista.click(f"#waiting li:nth-child(1) [data-action=Start]")
        ana.wait(STAGE.format("making"))
        self.assertNotIn(codes[1], ana.text())
        self.assertNotIn(codes[0], ben.text())
        self.assertTrue(ben.evaluate(STAGE.format("waiting")))
        # A page that asks for another customer's topic all the same, retained messages and wildcards among them.
        attempt = """(async () => {
            const { MqttClient } = await import('/mqtt.js');
            const { name, password } = JSON.parse(sessionStorage.getItem('crema-/customer.html'));
            const client = new MqttClient({ url: `ws://${location.host}/mqtt`, clientId: 'nosy', username: name, password });
            const seen = [];
            const asked = (filter) => client.subscribe(filter, (topic) => seen.push(topic)).then((qos) => `granted ${qos}`, (refusal) => `refused ${refusal.code}`);
            const published = (topic) => client.publish(topic, '{"ORDERSTATE":"COMPLETED"}').then(() => 'taken', (refusal) => `refused ${refusal.code}`);
            const answers = Promise.all(['serverlesspresso-user-ana', '+', '#', 'serverlesspresso-orders/NYC/+',
                'serverlesspresso-board/NYC/+', 'serverlesspresso-admin-NYC', 'serverlesspresso-user-ben'].map(asked));
            const publishes = Promise.all(['serverlesspresso-counter/NYC/barista', 'serverlesspresso-counter/NYC/ben', 'orders/nyc/ben'].map(published));
            client.start();
            const result = { answers: await answers, publishes: await publishes };
            await new Promise((resolve) => setTimeout(resolve, 300));
            client.stop();
            return { ...result, seen };
        })()"""
        result = ben.evaluate(attempt)
        self.assertEqual(result["answers"], ["refused 135"] * 6 + ["granted 1"])
        self.assertEqual(result["publishes"], ["refused 135"] * 3)
        self.assertEqual(set(result["seen"]), {"serverlesspresso-user-ben"})

    def test_a_page_that_comes_late_has_the_last_status(self):
        ana, barista = self.screen("ana"), self.screen("barista")
        code = self.order(ana)
        ana.close()
        barista.click("#waiting [data-action=Start]")
        barista.wait("document.querySelectorAll('#making li').length === 1")
        again, second, display = self.screen("ana"), self.screen("barista"), self.screen("display")
        again.wait(STAGE.format("making"))
        self.assertEqual(again.evaluate("document.querySelector('#code').textContent"), code)
        second.wait(f"document.querySelector('#making').innerText.includes('{code}')")
        display.wait(f"document.querySelector('#making').innerText.includes('{code}')")

    def test_the_screens_survive_a_restart_of_the_broker_and_say_so_meanwhile(self):
        self.expected_errors = ("WebSocket connection to", "ERR_CONNECTION_REFUSED")
        screens = [self.screen(user) for user in ("ana", "barista", "display")]
        self.shop.kill()
        for screen in screens:
            screen.wait("document.querySelector('#connection').dataset.state === 'waiting'")
            self.assertIn("Connection lost", screen.evaluate("document.querySelector('#connection').innerText"))
        screens[0].click("#send")
        screens[0].wait("document.querySelector('#problem').textContent.includes('not taken')")
        self.shop.start()
        for screen in screens:
            screen.wait(CONNECTED)
        code = self.order(screens[0])
        screens[1].wait(f"document.querySelector('#waiting').innerText.includes('{code}')")

    def test_a_link_of_before_opens_nothing(self):
        link = self.shop.links["ana"][:-4] + "0000"
        page = self.browser.open(link)
        self.pages.append(page)
        page.wait("document.querySelector('#connection').dataset.state === 'refused'")
        self.assertIn("new link", page.text())
        self.assertNotIn("#", page.evaluate("location.href"))
        bare = self.browser.open(f"{self.shop.origin}/customer.html")
        self.pages.append(bare)
        bare.wait("document.querySelector('main').innerText.includes('needs its link')")

    def test_hostile_text_stays_text_on_every_screen(self):
        """Threat 63"""
        hostile = "<img src=x onerror=document.title='owned'>\u202e"
        ana, barista, display = self.screen("ana"), self.screen("barista"), self.screen("display")
        detail = {"userId": "ana", "orderId": "<b>X1</b>-1".replace("/", ""), "eventId": "NYC", "drink": hostile, "milk": hostile}
        request = urllib.request.Request(
            f"{self.shop.origin}/order", json.dumps({"detail": detail}).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(json.load(answer)["FailedEntryCount"], 0)
        ana.wait("document.querySelector('#drink').textContent.includes('<img')")
        barista.wait("document.querySelector('#waiting').textContent.includes('<img')")
        display.wait("document.querySelector('#making').textContent.includes('<img')")
        for page in (ana, barista, display):
            self.assertEqual(page.evaluate("document.querySelectorAll('main img, main b').length"), 0)
            self.assertNotEqual(page.evaluate("document.title"), "owned")

    def test_an_order_with_the_keyboard_alone(self):
        ana = self.screen("ana")
        ana.evaluate("document.activeElement?.blur()")
        for key in ("Tab", "ArrowRight", "Tab", "Tab", "Enter"):
            ana.press(key)
        ana.wait(STAGE.format("waiting"))
        self.assertIn("Latte", ana.evaluate("document.querySelector('#drink').textContent"))

    def test_people_who_see_hear_and_point_otherwise_can_use_every_screen(self):
        has_ordered = False
        for dark in (False, True):
            for user in ("ana", "barista", "display"):
                for width in (360, 1280):
                    with self.subTest(user=user, dark=dark, width=width):
                        page = self.screen(user, width=width, height=800, dark=dark, phone=width < 500)
                        if user == "ana" and has_ordered:
                            page.wait("document.querySelector('#order').hidden")  # the last status comes a moment after the page
                        elif user == "ana":
                            self.assertEqual(accessible.problems(page), [])
                            self.assertEqual(accessible.keyboard_problems(page), [])
                            self.order(page)
                            has_ordered = True
                        self.assertEqual(accessible.problems(page), [])
                        self.assertEqual(accessible.keyboard_problems(page), [])


if __name__ == "__main__":
    unittest.main()
