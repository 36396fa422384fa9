import { describe, expect, it } from 'vitest';
import { float32, tensor } from '../onnx/tensor.ts';
import { DetectionMatches, detectionPrecision, type FoundBox, type TrueBox } from './detection-precision.ts';
import { countSpans, spanF1, spansF1, spansOf } from './span-f1.ts';
import { batchOf, REFERENCE } from './testing/reference.ts';

describe('span F1', () => {
  it('is seqeval’s of its own example', () => {
    const counts = { right: 0, called: 0, present: 0 };
    countSpans(
      counts,
      ['O', 'O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'O'],
      ['O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'I-MISC', 'O'],
    );
    countSpans(counts, ['B-PER', 'I-PER', 'O'], ['B-PER', 'I-PER', 'O']);
    expect(spanF1(counts)).toBe(0.5);
  });

  it.each([
    [
      ['B-A', 'B-A', 'I-A'],
      ['A 0 1', 'A 1 3'],
    ],
    [['I-A', 'I-A', 'O'], []],
    [['B-A', 'I-B', 'I-A'], ['A 0 1']],
    [['O', 'B-A'], ['A 1 2']],
    [['B-A-B', 'I-A-B'], ['A-B 0 2']],
    [[], []],
  ])('%j has the spans %j, strictly', (tags, spans) => {
    expect(spansOf(tags).map(({ kind, from, to }) => `${kind} ${from} ${to}`)).toEqual(spans);
  });

  it('reads logits of tokens that have a tag', () => {
    const tags = ['O', 'B-X', 'I-X'];
    const metric = spansF1({ tags });
    const state = metric.start();
    // O B I, then padding; the answer is right but for the padding, which does not count.
    const answer = [0, 1, 2, 1].flatMap((tag) => tags.map((_, k) => (k === tag ? 1 : 0)));
    metric.add(state, float32(answer, [1, 4, 3]), {
      ...batchOf([0]),
      columns: { labels: tensor('int32', [1, 4], Int32Array.of(0, 1, 2, -1)) },
    });
    expect(metric.value(state)).toBe(1);
    expect(metric.value(metric.start())).toBeNaN();
  });
});

describe('mean average precision of boxes', () => {
  const { detection } = REFERENCE as {
    detection: Record<string, number> & { images: { truths: TrueBox[]; answers: FoundBox[] }[] };
  };
  const matches = new DetectionMatches(4);
  for (const { truths, answers } of detection.images) matches.add(truths, answers);

  it('is COCO’s', () => {
    expect(matches.meanPrecision()).toBeCloseTo(detection.map!, 9);
    expect(matches.meanPrecision(101, 0.5)).toBeCloseTo(detection.map50!, 9);
    expect(matches.meanPrecision(101, 0.75)).toBeCloseTo(detection.map75!, 9);
  });

  it('is VOC’s', () => {
    expect(matches.meanPrecision(11, 0.5)).toBeCloseTo(detection.voc11!, 9);
    expect(matches.meanPrecision('area', 0.5)).toBeCloseTo(detection.vocAll!, 9);
  });

  it('has an interval over images', () => {
    const { low, high } = matches.interval(101, 0.5);
    expect(low).toBeLessThan(detection.map50!);
    expect(high).toBeGreaterThan(detection.map50!);
  });

  it('a second box on the same object is wrong, and so is an unknown overlap', () => {
    const box = [0, 0, 10, 10] as const;
    const twice = new DetectionMatches(1, [0.5]);
    twice.add(
      [
        { class: 0, box },
        { class: 0, box: [20, 20, 30, 30] },
      ],
      [0.9, 0.8].map((score) => ({ class: 0, box, score })),
    );
    expect(twice.meanPrecision('area')).toBe(0.5);
    expect(() => twice.meanPrecision(101, 0.6)).toThrow('0.6');
    expect(new DetectionMatches(2).meanPrecision()).toBeNaN();
  });

  it('is a metric of a head that reads its boxes', () => {
    const images = detection.images;
    const metric = detectionPrecision({
      classes: 3,
      overlap: 0.5,
      found: (_, batch, row) => images[batch.ordinals[row]!]!.answers,
      truths: (batch, row) => images[batch.ordinals[row]!]!.truths,
    });
    const state = metric.start();
    for (let from = 0; from < images.length; from += 7) {
      metric.add(state, float32([0]), batchOf(new Array<number>(7).fill(0), 1, from));
    }
    expect(metric.name).toBe('mAP@50');
    expect(metric.value(state)).toBeCloseTo(detection.map50!, 9);
  });
});
