// The few marks of Markdown that answers use, parsed into a tree of plain strings. The model's text
// is hostile: there is no HTML here, no link and no image, and nothing that could load anything.
// What is not understood stays text. Time is linear in the input.

export type Inline = {kind: 'text' | 'code' | 'bold' | 'italic'; text: string};

export type Block =
  | {kind: 'paragraph'; lines: Inline[][]}
  | {kind: 'heading'; line: Inline[]}
  | {kind: 'list'; ordered: boolean; start: number; items: Inline[][]}
  | {kind: 'code'; language: string; text: string};

const kFence = /^ {0,3}```([\w+#.-]{0,32})[^`]*$/;
const kHeading = /^#{1,6} +(\S.*)$/;
const kItem = /^ {0,8}(?:[-*+\u2022]|(\d{1,9})[.)]) +(\S.*)$/;

export function parse_markdown(source: string): Block[] {
  const blocks: Block[] = [];
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  for (let at = 0; at < lines.length;) at = take_block(lines, at, blocks);
  return blocks;
}

// Appends the block that starts at line `at` and returns the first line after it.
function take_block(lines: string[], at: number, blocks: Block[]): number {
  const line = lines[at]!;
  const fence = kFence.exec(line);
  if (fence) return take_fence(lines, at + 1, fence[1]!, blocks);
  const heading = kHeading.exec(line);
  const item = kItem.exec(line);
  if (heading) blocks.push({kind: 'heading', line: parse_inline(heading[1]!)});
  else if (item) add_item(blocks, item[1], parse_inline(item[2]!));
  else if (line.trim() !== '') return take_paragraph(lines, at, blocks);
  return at + 1;
}

// A fence that is never closed (the answer is still coming) reaches to the end.
function take_fence(lines: string[], first: number, language: string, blocks: Block[]): number {
  let end = first;
  while (end < lines.length && !/^ {0,3}```\s*$/.test(lines[end]!)) end++;
  blocks.push({kind: 'code', language, text: lines.slice(first, end).join('\n')});
  return end + 1;
}

function take_paragraph(lines: string[], first: number, blocks: Block[]): number {
  let end = first;
  while (end < lines.length && is_plain(lines[end]!)) end++;
  blocks.push({kind: 'paragraph', lines: lines.slice(first, end).map(parse_inline)});
  return end;
}

function is_plain(line: string): boolean {
  return line.trim() !== '' && !kFence.test(line) && !kHeading.test(line) && !kItem.test(line);
}

function add_item(blocks: Block[], number: string | undefined, item: Inline[]): void {
  const ordered = number !== undefined;
  const last = blocks.at(-1);
  if (last?.kind === 'list' && last.ordered === ordered) last.items.push(item);
  else blocks.push({kind: 'list', ordered, start: ordered ? Number(number) : 1, items: [item]});
}

const kMarks = /(`[^`]+`|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*(?![\w*]))/;

// Code spans, bold and italic, not nested. An opening mark without its end is text. Each
// alternative scans no further than the next mark, so the work stays linear.
function parse_inline(line: string): Inline[] {
  return line.split(kMarks).flatMap((part, i): Inline[] => {
    if (part === '') return [];
    if (i % 2 === 0) return [{kind: 'text', text: part}];
    if (part.startsWith('`')) return [{kind: 'code', text: part.slice(1, -1)}];
    if (part.startsWith('**')) return [{kind: 'bold', text: part.slice(2, -2)}];
    return [{kind: 'italic', text: part.slice(1, -1)}];
  });
}
