/** `node tus-server-program.ts <directory> <port>`: the peer itself, in a process of its own. */
const [directory, port] = process.argv.slice(2);
// By their names only: neither is a package of ours, and one of them is installed only where somebody wants to compare.
const [{ Server }, { FileStore }] = (await Promise.all(["@tus/server", "@tus/file-store"].map((name) => import(name)))) as [
  { Server: new (options: object) => { listen(options: object): void } },
  { FileStore: new (options: object) => object },
];
new Server({ path: "/files", datastore: new FileStore({ directory }) }).listen({ host: "127.0.0.1", port: Number(port) });
