/**
 * A small server with an invented study, for work on the reading page alone.
 *
 *   node dev/mock-server.mjs [--port 8123] [--total 24] [--layout single] [--file state.json]
 *
 * Studies: single, quad, mixed (five images on four grids), map, flat; kinds (every way of
 * answering), steps (two steps a case), pair and rank (images beside each other), practice, parts
 * (two parts with a washout). /viewer/ shows a case outside a reading.
 *
 * POST /__mock with {"delay": ms, "fail": status, "images": false, "closed": true, "signedOut": true,
 * "lost": true, "withdraw": token, "waiting": {…}} changes how it behaves; "lost" stores an answer
 * and drops the connection.
 */
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { valueOf } from "./layouts.mjs";
import { fillSlab } from "./phantom.mjs";
import { Study } from "./study.mjs";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8123" },
    total: { type: "string", default: "24" },
    layout: { type: "string", default: "single" },
    dist: { type: "string" },
    file: { type: "string" },
    median: { type: "string", default: "23" },
  },
});

const DIST = values.dist ?? join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
  "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'";
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

const study = new Study({
  file: values.file,
  total: Number(values.total),
  layout: values.layout,
  median: values.median === "none" ? null : Number(values.median),
});
const behaviour = { delay: 0, fail: 0, images: true, imageDelay: 0, signedOut: false, lost: false };
const log = [];
const cache = new Map();

/** Where an image lies and how it is cut; label maps lie on the image they belong to. */
function slotOf(role) {
  const { slots, overlays } = study.widest;
  const under = overlays.find((overlay) => overlay.role === role)?.on[0] ?? role;
  return slots.find((slot) => slot.role === under);
}

function slabOf(role, seed) {
  const key = `${role} ${seed}`;
  if (!cache.has(key)) {
    cache.set(key, { slab: fillSlab(slotOf(role), valueOf(role, seed)), chunks: new Map() });
  }
  return cache.get(key);
}

function chunkBytes(token, chunk) {
  const [, position = "1", role] = /^r(\d+)-[^x]*x([\w-]+)$/.exec(token) ?? [];
  const { slab, chunks } = slabOf(role, 1 + (Number(position) % 4));
  if (!chunks.has(chunk)) {
    const slot = slotOf(role);
    const [z0, z1] = slot.chunks[chunk];
    const size = slot.shape[1] * slot.shape[2];
    const part = slab.subarray(z0 * size, z1 * size);
    chunks.set(
      chunk,
      gzipSync(Buffer.from(part.buffer, part.byteOffset, part.byteLength), { level: 3 }),
    );
  }
  return chunks.get(chunk);
}

function send(response, status, body, headers = {}) {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    ...headers,
  });
  response.end(text);
}

function page(response) {
  const manifest = JSON.parse(readFileSync(join(DIST, "manifest.json"), "utf8"));
  const asset = (name) => `/static/${manifest[name].file}`;
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CSP,
    "Set-Cookie": "csrftoken=mock-token; Path=/",
    "Cache-Control": "no-store",
  });
  response.end(`<!doctype html><html lang="en" class="theme-dark"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Reading</title>
<link rel="stylesheet" href="${asset("src/styles/reader.css")}"></head><body class="reading-body">
<div id="reading" data-enrolment="enr1" data-signed-in-as="R1" data-home="/"></div>
<script type="module" src="${asset("src/reading/main.ts")}"></script></body></html>`);
}

/** Two images beside each other and their difference, as a page of the staff shows a case. */
function viewerPage(response) {
  const manifest = JSON.parse(readFileSync(join(DIST, "manifest.json"), "utf8"));
  const asset = (name) => `/static/${manifest[name].file}`;
  const { slots, ...layout } = study.widest;
  const data = {
    layout: { ...layout, slots },
    images: Object.fromEntries(
      [...slots, ...layout.overlays].map(({ role }) => [role, `r1-staffx${role}`]),
    ),
    differences: slots.length > 1 ? [{ of: slots[0].role, minus: slots[1].role }] : [],
  };
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CSP,
    "Cache-Control": "no-store",
  });
  response.end(`<!doctype html><html lang="en" class="theme-dark"><head><meta charset="utf-8">
<title>Viewer</title><link rel="stylesheet" href="${asset("src/styles/reader.css")}"></head>
<body class="reading-body"><div id="viewer" class="viewer-page"></div>
<script type="application/json" id="viewer-data">${JSON.stringify(data)}</script>
<script type="module" src="${asset("src/viewer/main.ts")}"></script></body></html>`);
}

/** An example image: a disc, as SVG. */
function example(response) {
  response.writeHead(200, { "Content-Type": "image/svg+xml", "Cache-Control": "no-store" });
  response.end(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64"/>' +
      '<circle cx="32" cy="32" r="20" fill="#999"/></svg>',
  );
}

function file(response, path) {
  const full = normalize(join(DIST, path));
  if (!full.startsWith(DIST) || !existsSync(full)) return send(response, 404, {});
  response.writeHead(200, {
    "Content-Type": TYPES[extname(full)] ?? "application/octet-stream",
    "Cache-Control": "public, max-age=31536000, immutable",
  });
  return createReadStream(full).pipe(response);
}

async function bodyOf(request) {
  let text = "";
  for await (const part of request) text += part;
  return text === "" ? {} : JSON.parse(text);
}

function image(response, token, chunk) {
  if (!behaviour.images) return send(response, 503, {});
  const bytes = chunkBytes(token, Number(chunk));
  response.writeHead(200, {
    "Content-Type": "application/octet-stream",
    "Content-Encoding": "gzip",
    "Cache-Control": "private, no-store",
  });
  return setTimeout(() => response.end(bytes), behaviour.imageDelay);
}

function answer(request, response, token, body) {
  const [status, reply] = study.answer(token, body);
  if (behaviour.lost) return request.socket.destroy();
  return send(response, status, reply);
}

function api(request, response, path, body) {
  if (path === "/api/session") {
    if (body.username !== "R1")
      return send(response, 403, { error: { code: "other_user", message: "" } });
    if (body.password !== "right") {
      return send(response, 400, {
        error: { code: "sign_in_failed", message: "Name or password is wrong." },
      });
    }
    behaviour.signedOut = false;
    return send(response, 204);
  }
  if (behaviour.signedOut)
    return send(response, 401, { error: { code: "signed_out", message: "" } });
  if (behaviour.fail) return send(response, behaviour.fail, {}, { "Retry-After": "1" });
  if (path.endsWith("/state")) return send(response, 200, study.state());
  if (path.endsWith("/pause") || path.endsWith("/resume")) {
    study.data.pauses.push(path.split("/").at(-1));
    return send(response, 204);
  }
  if (path === "/api/read/preferences/") {
    study.own = { keys: body.keys, mouse: body.mouse };
    return send(response, 204);
  }
  const match = /readings\/([^/]+)\/(answers|undo|draft)$/.exec(path);
  if (!match) return send(response, 404, {});
  if (match[2] === "answers") return answer(request, response, match[1], body);
  if (match[2] === "undo") return send(response, ...study.reopen(match[1]));
  study.keepDraft(match[1], body);
  return send(response, 204);
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  const body = await bodyOf(request).catch(() => ({}));
  if (path === "/__mock") {
    Object.assign(behaviour, body);
    if ("closed" in body) study.closed = body.closed;
    if ("waiting" in body) study.waiting = body.waiting;
    if ("withdraw" in body) study.withdraw(body.withdraw);
    return send(response, 200, { behaviour, log, data: study.data });
  }
  if (path.startsWith("/e/")) return example(response);
  const chunk = /^\/i\/([^/]+)\/(\d+)$/.exec(path);
  if (chunk) return image(response, chunk[1], chunk[2]);
  if (path.startsWith("/static/")) return file(response, path.slice("/static/".length));
  if (path.startsWith("/read/")) return page(response);
  if (path === "/viewer/") return viewerPage(response);
  if (!path.startsWith("/api/")) return send(response, 404, {});
  if (request.method !== "GET")
    log.push({ method: request.method, path, csrf: request.headers["x-csrftoken"] });
  return setTimeout(() => api(request, response, path, body), behaviour.delay);
});

server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`Reading page with an invented study: http://127.0.0.1:${values.port}/read/enr1/`);
});
