import type {Block, Inline} from './markdown';
import {parse_markdown} from './markdown';

// Shows hostile text. Every string reaches the page as a text node; all attributes are our own.
export function Markdown({source}: {source: string}) {
  return (
    <div class="prose" dir="auto">
      {parse_markdown(source).map(show_block)}
    </div>
  );
}

function show_block(block: Block, key: number) {
  switch (block.kind) {
    case 'heading':
      return (
        <p class="heading" key={key}>
          {show_line(block.line)}
        </p>
      );
    case 'code':
      return (
        <pre key={key} dir="ltr" tabIndex={0} aria-label={code_label(block.language)}>
          <code>{block.text}</code>
        </pre>
      );
    case 'list': {
      const items = block.items.map((item, i) => <li key={i}>{show_line(item)}</li>);
      return block.ordered ? (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      ) : (
        <ul key={key}>{items}</ul>
      );
    }
    case 'paragraph':
      return <p key={key}>{block.lines.map((line, i) => [i > 0 && <br />, show_line(line)])}</p>;
  }
}

function show_line(line: Inline[]) {
  return line.map((part, i) => {
    if (part.kind === 'code') return <code key={i}>{part.text}</code>;
    if (part.kind === 'bold') return <strong key={i}>{part.text}</strong>;
    if (part.kind === 'italic') return <em key={i}>{part.text}</em>;
    return part.text;
  });
}

function code_label(language: string): string {
  return language === '' ? 'Code' : `Code, ${language}`;
}
