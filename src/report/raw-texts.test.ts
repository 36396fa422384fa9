import { expect, it } from 'vitest';
import { withoutRawTexts } from './raw-texts.ts';

it('leaves out what a message cites of the data, and keeps names', () => {
  const labels = ['very good', 'bad'];
  const told = (message: string) => withoutRawTexts(message, labels);
  expect(told("3 broken rows; the first: a.csv:7: 'call me at 555-1234, John' has no label")).toBe(
    "3 broken rows; the first: a.csv:7: '(left out)' has no label",
  );
  expect(told("the text \"I hate this\" has two labels, 'very good' and 'bad'")).toBe(
    "the text \"(left out)\" has two labels, 'very good' and 'bad'",
  );
  expect(told("'data.maxLength' cuts 3 texts")).toBe("'data.maxLength' cuts 3 texts");
});
