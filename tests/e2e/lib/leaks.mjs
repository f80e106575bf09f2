// A text that must not be found again, and the search for it.
import {randomBytes} from 'node:crypto';
import {closeSync, openSync, readdirSync, readFileSync, readSync} from 'node:fs';
import {join} from 'node:path';

const kLetters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const kPiece = 10; // characters: short enough to find a cut text, too long to be an accident

export class Canary {
  constructor() {
    this.text = [...randomBytes(32)].map((byte) => kLetters[byte % kLetters.length]).join('');
    const bytes = Buffer.from(this.text);
    this.needles = [
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      ...[0, 1, 2].map((offset) => middle_of_base64(bytes, offset)),
    ].map((text) => Buffer.from(text));
    this.needles.push(Buffer.from(this.text, 'utf16le'));
    for (let i = 0; i + kPiece <= bytes.length; ++i)
      this.needles.push(bytes.subarray(i, i + kPiece));
  }

  in(content) {
    const bytes = Buffer.from(content);
    return this.needles.some((needle) => bytes.includes(needle));
  }
}

// The characters that the text has in base64 whatever stands before and after it.
function middle_of_base64(bytes, offset) {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return text.slice(offset === 0 ? 0 : 4, 40);
}

// The files under `folder` that hold the canary, and how many were read.
export function scan_files(canary, folder) {
  const hits = [];
  let read = 0;
  for (const entry of readdirSync(folder, {recursive: true, withFileTypes: true})) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const content = readFileSync(path);
    ++read;
    if (canary.in(content) || canary.in(path)) hits.push(path);
  }
  return {hits, read};
}

const kStepBytes = 32 << 20;

// How often a process's memory holds the canary whole. Nothing when this user may not look.
export function scan_memory(canary, pid) {
  let memory;
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r');
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EPERM') return undefined;
    throw error;
  }
  let hits = 0;
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const range = line.match(/^([0-9a-f]+)-([0-9a-f]+) r/);
    if (range === null || line.includes('[v')) continue; // the kernel's pages
    const [begin, end] = range.slice(1).map((text) => Number(`0x${text}`));
    hits += hits_in(canary, memory, begin, end);
  }
  closeSync(memory);
  return hits;
}

function hits_in(canary, memory, begin, end) {
  let hits = 0;
  for (let at = begin; at < end;) {
    const step = Buffer.alloc(Math.min(kStepBytes, end - at));
    let got = 0;
    try {
      got = readSync(memory, step, 0, step.length, at);
    } catch {
      break; // unmapped meanwhile, or without content
    }
    if (got === 0) break;
    for (let i = step.indexOf(canary.text); i >= 0; i = step.indexOf(canary.text, i + 1)) ++hits;
    // Steps overlap, so that no canary is cut in two.
    at += got > canary.text.length && at + got < end ? got - canary.text.length : got;
  }
  return hits;
}
