// An OpenID provider for a test. It does what it is told on standard input, a word a line, answers each with a line, and
// ends with its input. The folder of the packages is its argument.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const packages = pathToFileURL(process.argv[2] + "/");
const { OAuth2Server } = await import(new URL("oauth2-mock-server/dist/index.mjs", packages));
const { issuer, service } = new OAuth2Server();

let asked = 0;
const server = createServer((request, response) => {
  asked += request.url === "/jwks" ? 1 : 0;
  service.requestHandler(request, response);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
issuer.url = `http://127.0.0.1:${server.address().port}`;

let key;
let made = 0;
const words = {
  url: async () => issuer.url,
  asked: async () => asked,
  rotate: async () => (key = await issuer.keys.generate("ES256")).kid,
  token: async () =>
    issuer.buildToken({
      kid: key.kid,
      scopesOrTransform: (_, payload) => Object.assign(payload, { sub: "ada", aud: "it", jti: String((made += 1)) }),
    }),
};
await words.rotate();

for await (const word of createInterface({ input: process.stdin })) {
  console.log(await words[word]());
}
process.exit();
