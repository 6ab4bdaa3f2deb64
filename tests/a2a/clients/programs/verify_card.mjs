// Whether the official SDK takes the signatures of cards: pairs of a card and a JWK set in, a truth for each out.

import { verifyAgentCardSignature } from "@a2a-js/sdk";
import { importJWK } from "jose";
import { text } from "node:stream/consumers";

console.debug = () => {};

async function isSigned(card, { keys }) {
  const verify = verifyAgentCardSignature(async (kid) => {
    const known = keys.find((key) => key.kid === kid);
    if (!known) throw new Error("unknown key");
    return importJWK(known);
  });
  try {
    await verify(card);
  } catch {
    return false;
  }
  return true;
}

const pairs = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await Promise.all(pairs.map(([card, keys]) => isSigned(card, keys)))));
