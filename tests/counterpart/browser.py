"""Does in headless Chromium what a person would: opens pages, clicks, types, reads.

    browser.py CHROMEDRIVER CHROMIUM < plan.json

The plan is a list of steps, each an object with one verb: {"open": FILE}, {"click": CSS},
{"keys": [CSS, TEXT]}, {"text": CSS}, {"script": JAVASCRIPT}. The answers of `text` and `script`
are printed as one JSON list. An element that is not shown cannot be clicked and has no text.
WebDriver: https://www.w3.org/TR/webdriver2/
"""
import http.client
import json
import pathlib
import subprocess
import sys

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    def __init__(self, port, chromium):
        self.port, self.session = port, None
        options = {
            "binary": chromium,
            # A user without privileges would not need the first one; a small machine needs the second.
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        }
        self.session = self.ask(
            "POST", "", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        )["sessionId"]

    def ask(self, method, path, body=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        root = "/session" if self.session is None else f"/session/{self.session}"
        link.request(method, root + path, None if body is None else json.dumps(body))
        answer = link.getresponse()
        value = json.loads(answer.read())["value"]
        link.close()
        if answer.status != 200:
            raise SystemExit(f"{method} {path} {body}: {value['error']}: {value['message']}")
        return value

    def element(self, css):
        found = self.ask("POST", "/element", {"using": "css selector", "value": css})
        return "/element/" + found[ELEMENT]

    def do(self, verb, value):
        if verb == "open":
            self.ask("POST", "/url", {"url": pathlib.Path(value).resolve().as_uri()})
        elif verb == "click":
            self.ask("POST", self.element(value) + "/click", {})
        elif verb == "keys":
            self.ask("POST", self.element(value[0]) + "/value", {"text": value[1]})
        elif verb == "text":
            return [self.ask("GET", self.element(value) + "/text")]
        elif verb == "script":
            return [self.ask("POST", "/execute/sync", {"script": value, "args": []})]
        else:
            raise SystemExit(f"no verb {verb}")
        return []


def main():
    driver = subprocess.Popen([sys.argv[1], "--port=0"], stdout=subprocess.PIPE, text=True)
    browser = None
    try:
        for line in driver.stdout:
            if "started successfully on port" in line:
                port = int(line.strip().rstrip(".").rsplit(" ", 1)[1])
                break
        browser = Browser(port, sys.argv[2])
        answers = []
        for step in json.load(sys.stdin):
            ((verb, value),) = step.items()
            answers += browser.do(verb, value)
        print(json.dumps(answers))
    finally:
        if browser:
            browser.ask("DELETE", "")
        driver.kill()
        driver.wait()


main()
