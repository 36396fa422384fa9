import { useLiteTokenizer } from '../../src/data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { GraphBuilder } from '../../src/onnx/graph-builder.ts';
import { float32 } from '../../src/onnx/tensor.ts';
import { writeModel } from '../../src/onnx/write-model.ts';
import { randomStream } from '../../src/random.ts';
import { maskColumn, maskedMean } from '../../src/students/masked-pooling.ts';

/** Words with pieces of their own. */
const KEYWORDS = [
  'invoice',
  'parcel',
  'wonderful',
  'crash',
  'garden',
  'music',
  'river',
  'doctor',
  'horse',
  'window',
  'bread',
  'winter',
];
const FILLERS = ['today', 'again', 'please', 'really', 'since Monday', 'for us', 'in the end', 'as you know'];

/** A classifier that tells texts by a word: its output `i` is the class `order[i]`, of `order.length` classes. */
export async function keywordTeacher(order: readonly number[]): Promise<Uint8Array> {
  const tokenizer = await useLiteTokenizer();
  const classes = order.length;
  const table = new Float32Array(tokenizer.vocabularySize * classes);
  const others = new Set(tokenizer.encode(`${FILLERS.join(' ')} the 0 1 2 3 4 5 6 7 8 9`));
  order.forEach((keyword, output) => {
    const own = tokenizer.encode(`the ${KEYWORDS[keyword]}`).filter((id) => !others.has(id));
    for (const id of own) table[id * classes + output] = 20;
  });
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = maskColumn(g, g.input('attention_mask', 'int64', ['batch', 'sequence']));
  const weights = g.initializer('table', float32(table, [tokenizer.vocabularySize, classes]));
  g.output(g.identity(maskedMean(g, g.mul(g.gather(weights, ids), mask), mask)), 'logits');
  return writeModel(g.build('teacher'));
}

/** Texts of each class in turn, each with the word of its class, and the labels that `labelOf` gives them. */
export function keywordTexts(
  count: number,
  classes: number,
  labelOf: (label: number) => unknown,
): { text: string; label: unknown }[] {
  const random = randomStream(3, 'keyword-texts');
  const filler = () => FILLERS[random.integer(FILLERS.length)];
  return Array.from({ length: count }, (_, i) => {
    const label = i % classes;
    return { text: `${filler()} the ${KEYWORDS[label]} ${filler()} ${i}`, label: labelOf(label) };
  });
}
