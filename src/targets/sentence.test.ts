import { describe, expect, it } from 'vitest';
import { checkModelGradients } from '../autodiff/testing/check-model.ts';
import { sentenceScores } from '../metrics/sentence-scores.ts';
import { bleu, exactSentences, sentencePerplexity } from '../metrics/sentences.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, tensor } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import { ParameterMaker } from '../students/parameters.ts';
import { sentenceTruth } from './sentence-truth.ts';
import { END, sentenceOf, wordsOf, writtenSentence } from './sentence-words.ts';
import { writtenLogits } from './sentence-writer.ts';

const LIMITS = { length: 8, vocabulary: 100, least: 1 };

describe('words', () => {
  const spaceOf = (rows: string[], training = rows.length) => {
    const reader = sentenceTruth({ ...LIMITS, least: 2 }).begin({
      output: 'said',
      field: 'text',
      title: 't',
      notes: [],
    });
    const values = rows.map((row) => reader.read(row, { where: '', encoded: {} }));
    for (const value of values.slice(0, training)) reader.fit!(value!);
    const { space, final, parts } = reader.finish();
    const numbers = values.map((value) => final!(value!));
    return { space, numbers, parts: numbers.map((value) => parts!(value)) };
  };

  it('keep what belongs together, and are a sentence again', () => {
    const sentence = "A T-shirt (3.5 cm), the child's: a pair/two of boots.";
    const words = [
      'A',
      'T-shirt',
      '(',
      '3.5',
      'cm',
      ')',
      ',',
      'the',
      "child's",
      ':',
      'a',
      'pair/two',
      'of',
      'boots',
      '.',
    ];
    expect(wordsOf(sentence)).toEqual(words);
    expect(sentenceOf(words)).toBe(sentence);
  });

  it('are numbered alike whatever order the rows have, rare ones unknown', () => {
    const rows = ['a bag', 'a boot', 'bag a boot'];
    const { space, numbers } = spaceOf(rows);
    expect(space).toEqual({ words: ['a', 'bag', 'boot'], length: 4 });
    expect(spaceOf([...rows].reverse()).space).toEqual(space);
    expect(spaceOf([...rows, 'a hat']).numbers[3]).toEqual([numbers[0]![0], 1]);
    expect(writtenSentence([...(numbers[2] as number[]), END, 7], space.words)).toBe('bag a boot');
  });

  it('are those of the labelled training samples: of others they are unknown, and counted', () => {
    const { space, numbers, parts } = spaceOf(['a bag', 'a bag', 'a boot boot a'], 2);
    expect(space).toEqual({ words: ['a', 'bag'], length: 5 });
    expect(numbers[2]).toEqual([4, 1, 1, 4]);
    expect(parts).toEqual([
      { all: 2, unknown: 0 },
      { all: 2, unknown: 0 },
      { all: 4, unknown: 2 },
    ]);
  });

  it('of a longer sentence than is meant break their row', () => {
    const reader = sentenceTruth({ ...LIMITS, length: 2 }).begin({
      output: 'said',
      field: 'text',
      title: 't',
      notes: [],
    });
    expect(() => reader.read('one two three', { where: '', encoded: {} })).toThrow(
      /3 words and marks, more than outputs\.said\.length \(2\)/,
    );
  });
});

describe('scores of sentences', () => {
  const options = { labels: 'labels', end: END, unknown: 'u'.charCodeAt(0) };
  /** The numbers of letters, ended, in rows of 8. */
  const rowsOf = (sentences: string[], behind: number) =>
    sentences.flatMap((one) => {
      const numbers = [...[...one].map((letter) => letter.charCodeAt(0)), END];
      return [...numbers, ...new Array(8 - numbers.length).fill(behind)];
    });
  const measured = (truths: string[], written: string[]) => {
    const rows = truths.length;
    const labels = tensor('int32', [rows, 8], Int32Array.from(rowsOf(truths, -1)));
    const batch = { filled: rows, ordinals: [...truths.keys()], columns: { labels } };
    const logits = float32(new Float32Array(rows * 8 * 128), [rows, 8, 128]);
    const own = tensor('int32', [rows, 8], Int32Array.from(rowsOf(written, 0)));
    return {
      batch,
      scores: sentenceScores(logits, batch, 'labels', own),
      unwritten: sentenceScores(logits, batch, 'labels', undefined),
    };
  };
  const scoreBy = (
    metric: ReturnType<typeof bleu>,
    scores: Parameters<typeof metric.add>[1],
    batch: Parameters<typeof metric.add>[2],
  ) => {
    const state = metric.start();
    metric.add(state, scores, batch);
    return metric.value(state);
  };

  it('count runs of words no more often than they are true, and a penalty for what is short', () => {
    const { batch, scores } = measured(['abcdef', 'abcde'], ['abcdef', 'abca']);
    // Runs of 1: 6/6 and 3/4 (the second a is not there); of 2: 5/5, 2/3; of 3: 4/4, 1/2; of 4: 3/3, 0/1.
    const expected = ((9 / 10) * (7 / 8) * (5 / 6) * (3 / 4)) ** 0.25 * Math.exp(1 - 11 / 10);
    expect(scoreBy(bleu(options), scores, batch)).toBeCloseTo(expected, 10);
    expect(scoreBy(exactSentences(options), scores, batch)).toBe(0.5);
    // All words are as likely.
    expect(scoreBy(sentencePerplexity(options), scores, batch)).toBeCloseTo(128, 3);
  });

  it('count a word that the vocabulary does not have as wrong, whatever is written', () => {
    const { batch, scores } = measured(['abcdu', 'abcde'], ['abcdu', 'abcde']);
    expect(scoreBy(exactSentences(options), scores, batch)).toBe(0.5);
    expect(scoreBy(bleu(options), scores, batch)).toBeCloseTo(
      ((9 / 10) * (7 / 8) * (5 / 6) * (3 / 4)) ** 0.25,
      10,
    );
  });

  it('are none where nobody was asked to write', () => {
    const { batch, unwritten } = measured(['ab'], ['ab']);
    expect(scoreBy(bleu(options), unwritten, batch)).toBeNaN();
    expect(scoreBy(exactSentences(options), unwritten, batch)).toBeNaN();
    expect(scoreBy(sentencePerplexity(options), unwritten, batch)).toBeCloseTo(128, 3);
  });
});

describe('a writer', () => {
  const build = () => {
    const g = new GraphBuilder();
    const make = new ParameterMaker(g, randomStream(1, 'writer'));
    const value = g.input('map', 'float32', [2, 3, 2, 2]);
    const words = g.input('before', 'int64', [2, 5]);
    const logits = writtenLogits(g, make, { value, width: 3 }, words, {
      width: 4,
      heads: 2,
      layers: 2,
      outputs: 7,
    });
    g.output(logits, 'logits');
    return { g, logits, finish: () => make.finish(g.build()).graph };
  };
  const map = float32(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [2, 3, 2, 2],
  );
  const rows = [2, 4, 5, 6, 4, 2, 6, 5, 0, 0];

  it('looks at the image and at no later word, and asks nothing behind the end', async () => {
    const graph = build().finish();
    const run = async (words: number[], image = map) =>
      (await runGraph(graph, { map: image, before: int64(words, [2, 5]) })).logits!.data as Float32Array;
    const [base, later, other] = [
      await run(rows),
      await run(rows.with(3, 5)),
      await run(
        rows,
        float32(
          (map.data as Float32Array).map((x) => x + 1 - 2 * (x > 0 ? 1 : 0)),
          [2, 3, 2, 2],
        ),
      ),
    ];
    expect(later.slice(0, 21)).toEqual(base.slice(0, 21));
    expect(later.slice(21, 28)).not.toEqual(base.slice(21, 28));
    expect(other.slice(0, 7)).not.toEqual(base.slice(0, 7));
    expect([...base.slice(56)].every((logit) => logit === 0)).toBe(true);
  });

  it('has the gradient by the image that differences have', async () => {
    const { g, logits, finish } = build();
    g.output(g.reduceSum(g.mul(logits, g.sin(logits)), { keepDims: false }), 'loss');
    await checkModelGradients(finish(), { map, before: int64(rows, [2, 5]) }, ['map']);
  });
});
