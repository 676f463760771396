"""Makes the pictures of the README anew: the shop's screens and the console, in a real browser, with an hour's orders in a minute.

Usage: CREMA=.build/release/crema python3 -B Tests/EndToEnd/screenshots.py
"""

import json
import subprocess
import threading
import time
import urllib.request

from broker import REPOSITORY
from browser import Browser
from shop import Shop

PICTURES = REPOSITORY / "Sources/BrokerCore/Documentation.docc/Resources"
CONNECTED = "document.querySelector('#connection').dataset.state === 'connected'"
DRINKS = ["Espresso", "Latte", "Mocha", "Americano", "Flat white"]


def place(shop, number, user, drink):
    detail = {"userId": user, "orderId": f"{'KTRVX'[number]}{3 + number}{'HMPWA'[number]}{7 - number}-{number}", "eventId": "NYC", "drink": drink, "milk": "Oat milk"}
    request = urllib.request.Request(f"{shop.origin}/order", json.dumps({"detail": detail}).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()


def traffic(shop, ended):
    """Devices that tell how the machines do, until it is over."""
    lines = "; ".join(f"for m in 1 2 3; do echo \"{{\\\"bar\\\": 9.{n}, \\\"celsius\\\": 92.{n}}}\"; done; sleep 0.0{n % 4 + 1}" for n in range(10))
    names = [("grinder/temperature", "grinder"), ("machine/pressure", "machine"), ("counter/scale", "scale")]
    loops = [subprocess.Popen(
        f"while :; do {lines}; done | mosquitto_pub -p {shop.ports[1883]} -i {client} -q 1 -t hello/nyc/{topic} -l", shell=True, start_new_session=True)
        for topic, client in names]
    readers = [subprocess.Popen(["mosquitto_sub", "-p", str(shop.ports[1883]), "-i", client, "-t", filter], stdout=subprocess.DEVNULL)
               for client, filter in (("dashboard", "hello/#"), ("maintenance", "hello/+/machine/#"))]
    ended.wait()
    for process in readers:
        process.terminate()
        process.wait()
    for process in loops:
        subprocess.run(["kill", "--", f"-{process.pid}"], check=False)
        process.wait()


def main():
    PICTURES.mkdir(exist_ok=True)
    shop, browser, ended = Shop(), Browser(), threading.Event()
    load = threading.Thread(target=traffic, args=(shop, ended))
    try:
        load.start()
        ana, barista, display = (browser.open(shop.links[user], **size) for user, size in (
            ("ana", {"width": 390, "height": 560, "phone": True}), ("barista", {"width": 1100, "height": 560}), ("display", {"width": 1100, "height": 560})))
        console = browser.open(f"http://127.0.0.1:{shop.admin}/", width=1280, height=860)
        for page in (ana, barista, display):
            page.wait(CONNECTED)
        for number, drink in enumerate(DRINKS):
            place(shop, number, "ben" if number % 2 else "cem", drink)
        barista.wait("document.querySelectorAll('#waiting li').length === 5")
        for count in range(3):
            barista.click("#waiting [data-action=Start]")
            barista.wait(f"document.querySelectorAll('#making li').length === {count + 1}")
        for count in range(2):
            barista.click("#making [data-action=Complete]")
            barista.wait(f"document.querySelectorAll('#ended li').length === {count + 1}")
        ana.click("label:has(#flat-white)")
        ana.click("#send")
        ana.wait("document.querySelector('#ticket').dataset.stage === 'waiting'")
        barista.click("#waiting li:last-child [data-action=Start]")
        ana.wait("document.querySelector('#ticket').dataset.stage === 'making'")
        display.wait("document.querySelectorAll('#ready li').length === 2")
        for name, page in (("shop-phone", ana), ("shop-barista", barista), ("shop-display", display)):
            page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
            page.screenshot(PICTURES / f"{name}.png")
        time.sleep(45)
        console.screenshot(PICTURES / "console-overview.png")
        console.evaluate("location.hash = '#/topics'")
        for topic in ("serverlesspresso-orders", "serverlesspresso-orders/NYC", "hello", "hello/nyc"):
            console.click(f"tr[data-topic='{topic}'] .opener[aria-expanded=false]")
        console.click("tr[data-topic^='serverlesspresso-orders/NYC/'] .link")
        console.wait("document.querySelector('.detail h3')")
        console.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
        time.sleep(3.5)
        console.screenshot(PICTURES / "console-topics.png")
    finally:
        ended.set()
        load.join()
        browser.end()
        shop.end()


if __name__ == "__main__":
    main()
