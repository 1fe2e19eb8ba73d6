/** Which way imports may point. Each rule says why, because whoever trips over it should learn something. */
import type { ICruiseOptions, IForbiddenRuleType } from "dependency-cruiser";

const below = (...places: string[]): string => `^(${places.join("|")})/`;

export const forbidden: IForbiddenRuleType[] = [
  {
    name: "db-is-a-leaf",
    comment: "packages/db knows tables and queries, no policy: it imports no other workspace package.",
    severity: "error",
    from: { path: below("packages/db") },
    to: { path: "^(packages/(?!db/)|apps/)" },
  },
  {
    name: "core-knows-no-app",
    comment: "packages/core is the domain; the apps, the supervisor and the components are built on it.",
    severity: "error",
    from: { path: below("packages/core") },
    to: { path: below("packages/(cluster|ui)", "apps", "bench", "chaos", "e2e") },
  },
  {
    name: "core-has-no-frontend",
    comment: "The domain must run in a storage node: no Next, no React.",
    severity: "error",
    from: { path: below("packages/(core|db|cluster)", "apps/node") },
    to: { path: "node_modules/(next|react|react-dom)/" },
  },
  {
    name: "ui-is-only-looks",
    comment: "packages/ui is bundled into browsers: it may not reach the domain or the database.",
    severity: "error",
    from: { path: below("packages/ui") },
    to: { path: below("packages/(core|db|cluster)", "apps") },
  },
  {
    name: "apps-are-strangers",
    comment: "A user's build cannot even name an admin procedure: apps never import each other.",
    severity: "error",
    from: { path: "^apps/([^/]+)/" },
    to: { path: "^apps/", pathNot: "^apps/$1/" },
  },
  {
    name: "browser-code-takes-only-types",
    comment: "What runs in a browser may know the server's types, never its code.",
    severity: "error",
    from: { path: "^apps/(web|admin)/src/(features|app)/", pathNot: "\\.test\\.tsx?$" },
    to: { path: below("packages/(core|db|cluster)", "apps/[^/]+/src/server"), dependencyTypesNot: ["type-only"] },
  },
  {
    name: "plans-are-pure",
    comment: "Decide, then do: what plans or decides takes data and returns data, so that a preview is the plan itself.",
    severity: "error",
    from: { path: "(^|/)plan[^/]*\\.ts$|^packages/core/src/placement/", pathNot: "\\.test\\.ts$" },
    to: { path: "^(node:)?(fs|net|http|child_process|dgram)(/|$)|node_modules/(pg|undici|@grpc)|packages/db/src/(client|testing)" },
  },
  {
    name: "doors-only",
    comment: "Folders of the domain meet at their index.ts; nothing reaches around a door.",
    severity: "error",
    from: { path: "^packages/core/src/([^/]+)/" },
    to: { path: "^packages/core/src/([^/]+)/", pathNot: ["^packages/core/src/$1/", "^packages/core/src/[^/]+/(index|conformance)\\.ts$"] },
  },
  {
    name: "no-cycles",
    comment: "Two modules that need each other are one module, or hide a third.",
    severity: "error",
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
  },
];

export const options: ICruiseOptions = {
  parser: "swc", // this TypeScript has no compiler API; without a parser nothing would be cruised, silently
  tsPreCompilationDeps: true,
  doNotFollow: { path: "node_modules" },
  exclude: { path: "\\.next/|/generated/|next-env\\.d\\.ts" },
  enhancedResolveOptions: {
    exportsFields: ["exports"],
    conditionNames: ["import", "node", "default"],
    extensions: [".ts", ".tsx", ".mjs", ".js"],
  },
};
