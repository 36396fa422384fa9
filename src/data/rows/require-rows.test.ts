import { describe, expect, it } from 'vitest';
import type { BrokenReason } from '../sample.ts';
import { requireRows } from './require-rows.ts';

const PARTS = {
  title: 'a.jsonl',
  inputs: [{ key: 'inputs.text.field', modality: 'text' }],
  outputs: [{ name: 'logits', keys: { field: 'outputs.logits.field', labels: 'outputs.logits.labels' } }],
};

/** What is to be done where all of five rows have a problem. */
function remedyFor(reason: BrokenReason, problem: string): string | undefined {
  const first = [{ where: 'a.jsonl:1', problem, reason }];
  try {
    requireRows(5, 0, { count: 5, first, reasons: { [reason]: 5 } }, PARTS as never);
  } catch (error) {
    expect(error).toMatchObject({ code: 'data.empty', where: 'a.jsonl, a.jsonl:1' });
    return (error as { remedy?: string }).remedy;
  }
  return undefined;
}

describe('the remedy for data of which no row can be used', () => {
  it('names columns where they hold no texts, and asks for texts where those are empty', () => {
    expect(remedyFor('text', "'text' is null, not text")).toMatch(
      /^Set inputs.text.field and outputs.logits.field to the names that the data uses/,
    );
    expect(remedyFor('text', "'text' is empty")).toBe(
      'Give the rows texts, or set inputs.text.field to the column that has them.',
    );
  });

  it('is about the chat template where that refuses, else about the conversations', () => {
    const refused = 'the chat template refuses message 1 (user): range() of 1000000000 numbers';
    expect(remedyFor('conversation', refused)).toMatch(/^Correct the tokenizer's chat template/);
    expect(remedyFor('conversation', "'messages' has no messages")).toMatch(
      /^Write each conversation as a list/,
    );
  });

  it('is the length of sentences where those are longer, else the column', () => {
    const longer = "'said' has 7 words and marks, more than outputs.said.length (3)";
    expect(remedyFor('value', longer)).toMatch(/^Set outputs.said.length to more/);
    expect(remedyFor('value', "'said' has no sentence but 3")).toBe(
      'Check that outputs.logits.field names a column with such values.',
    );
  });

  it('is about the tokenizer, or the encoding', () => {
    expect(remedyFor('tokens', 'the text has no tokens')).toContain('(inputs.text.tokenizer)');
    expect(remedyFor('encoding', 'bytes that are not UTF-8')).toMatch(/^Set data.source.encoding/);
  });
});
