/** Finds a Chromium for the browser tests; as root on Debian, installs one when there is none. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";

const KNOWN_PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

export function findBrowser(): string {
  const found = [process.env.HOLDFAST_BROWSER, ...KNOWN_PLACES, chromium.executablePath()].find(
    (file) => file !== undefined && existsSync(file),
  );
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) return installChromium();
  console.error("The browser tests need Chromium. Install it (on Debian: apt-get install chromium), or name one in HOLDFAST_BROWSER.");
  process.exit(1);
}

function installChromium(): string {
  console.log("Installing Chromium for the browser tests…");
  const apt = (...args: string[]) =>
    spawnSync("apt-get", ["-qq", ...args], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  apt("update");
  const { status } = apt("install", "-y", "--no-install-recommends", "chromium");
  if (status === 0) return "/usr/bin/chromium";
  console.error("Chromium could not be installed; apt-get says why above.");
  process.exit(1);
}
