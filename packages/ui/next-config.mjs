// What both apps tell Next. Plain JavaScript: a configuration in TypeScript would load the whole compiler into the running server.
import { fileURLToPath } from "node:url";

const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/** @type {import("next").NextConfig} */
export default {
  transpilePackages: ["@holdfast/ui"],
  outputFileTracingRoot: repositoryRoot,
  turbopack: { root: repositoryRoot },
  poweredByHeader: false,
  reactStrictMode: true,
  // The whole repository is type-checked at once, by the tests; a build is not the place to find out.
  typescript: { ignoreBuildErrors: true },
};
