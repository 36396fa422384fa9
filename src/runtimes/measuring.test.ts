import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { float32, int64, tensor } from '../onnx/tensor.ts';
import { findChromium } from './chromium.ts';
import { compareAnswers } from './compare-answers.ts';
import { isSoftwareAdapter } from './in-browser.ts';
import { madeCalls } from './made-inputs.ts';
import { percentiles } from './measurement.ts';
import { receivedFeeds, sentFeeds } from './page-tensors.ts';

describe('what is measured', () => {
  it('has percentiles by nearest rank', () => {
    const times = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(percentiles(times)).toEqual({ p50: 50, p90: 90, p99: 99, calls: 100 });
    expect(percentiles([7])).toEqual({ p50: 7, p90: 7, p99: 7, calls: 1 });
  });

  it('compares the answers of two runtimes', () => {
    const ours = [{ logits: float32([1, 2], [1, 2]) }, { logits: float32([3, 1], [1, 2]) }];
    const others = [{ logits: float32([1, 2], [1, 2]) }, { logits: float32([3, 4], [1, 2]) }];
    expect(compareAnswers(ours, others)).toEqual([
      {
        output: 'logits',
        calls: 2,
        sameLargest: 0.5,
        largestDifference: 3,
        largestValue: 3,
        worstCall: 1,
      },
    ]);
    const [nan] = compareAnswers([{ y: float32([1]) }], [{ y: float32([Number.NaN]) }]);
    expect(nan).toMatchObject({ largestDifference: null, incomparable: 'not-finite', largestValue: 1 });
    // Zeros of both signs, and 1.
    const [halves] = compareAnswers(
      [{ y: tensor('float16', [1, 2], Uint16Array.of(0, 0x3c00)) }],
      [{ y: tensor('float16', [1, 2], Uint16Array.of(0x8000, 0x3c00)) }],
    );
    expect(halves).toMatchObject({ largestDifference: 0, largestValue: 1, sameLargest: 1 });
    const [other] = compareAnswers([{ y: float32([1]) }], [{ y: float32([1, 2]) }]);
    expect(other).toMatchObject({ largestDifference: null, incomparable: 'other-sizes' });
    // The worst call, whatever its kind, and sizes of finite numbers alone.
    const [calls] = compareAnswers(
      [{ y: float32([1, Number.POSITIVE_INFINITY]) }, { y: float32([2, 5]) }, { y: float32([3, 1]) }],
      [
        { y: float32([1, Number.POSITIVE_INFINITY]) },
        { y: float32([2, Number.NEGATIVE_INFINITY]) },
        { y: float32([9, 1]) },
      ],
    );
    expect(calls).toMatchObject({ incomparable: 'not-finite', worstCall: 1, largestValue: 5 });
    expect(JSON.parse(JSON.stringify(calls))).toEqual(calls);
  });

  it('knows an adapter that computes on the processor by what it says of itself, or by its name', () => {
    expect(isSoftwareAdapter({ vendor: 'google', architecture: 'swiftshader' })).toBe(true);
    expect(isSoftwareAdapter({ vendor: 'someone', isFallback: true })).toBe(true);
    expect(isSoftwareAdapter({ vendor: 'nvidia', architecture: 'hopper', isFallback: false })).toBe(false);
  });

  it('takes no folder for a browser', () => {
    const folder = mkdtempSync(join(tmpdir(), 'limbeck-path-'));
    try {
      mkdirSync(join(folder, 'first', 'chrome'), { recursive: true });
      mkdirSync(join(folder, 'second'));
      const PATH = [join(folder, 'first'), join(folder, 'second')].join(delimiter);
      expect(findChromium({ PATH })).toBeUndefined();
      const browser = join(folder, 'second', 'chrome');
      writeFileSync(browser, '#!/bin/sh\n', { mode: 0o755 });
      expect(findChromium({ PATH })).toBe(browser);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('sends tensors to a page and back as they are', () => {
    const feeds = { ids: int64([1, 2 ** 40], [1, 2]), values: float32([0.5, -1], [2]) };
    expect(receivedFeeds(sentFeeds(feeds))).toEqual(feeds);
    for (const type of ['string', 'toString', 'float8'])
      expect(() => receivedFeeds({ y: { type, dims: [0], bytes: '' } })).toThrow(`no tensors of ${type}`);
  });
});

describe('inputs that are made', () => {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = g.input('attention_mask', 'int64', ['batch', 'sequence']);
  const table = g.constant(float32(new Float32Array(20), [10, 2]));
  g.output(g.mul(g.gather(table, ids, 0), g.unsqueeze(g.cast(mask, 'float32'), [2])), 'y');
  const graph = g.build();

  it('are ids of the table, and masks of ones; a length that was assumed is told', () => {
    const { one, many, assumed } = madeCalls(graph, {}, 4);
    expect(one[0]?.input_ids?.dims).toEqual([1, 32]);
    expect(many[0]?.input_ids?.dims).toEqual([4, 32]);
    const numbers = [...(many[0]!.input_ids!.data as BigInt64Array)];
    expect(numbers.every((id) => id >= 0n && id < 10n)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(5);
    expect([...(one[0]!.attention_mask!.data as BigInt64Array)].every((value) => value === 1n)).toBe(true);
    expect(assumed).toEqual(["'sequence' is 32: another with --size sequence=N"]);
    expect(madeCalls(graph, { sequence: 5 }, 4)).toMatchObject({ assumed: [] });
  });

  it('come in calls of one sample alone where a later input fixes how many', () => {
    const fixed = new GraphBuilder();
    const x = fixed.input('x', 'float32', ['batch', 4]);
    fixed.output(fixed.add(x, fixed.input('bias', 'float32', [1, 4])), 'y');
    const { one, many } = madeCalls(fixed.build(), {}, 32);
    expect(one[0]?.x?.dims).toEqual([1, 4]);
    expect(many).toEqual([]);
  });

  it('need a number for a size that nothing tells', () => {
    const open = new GraphBuilder();
    open.output(open.relu(open.input('x', 'float32', ['n', 'height'])), 'y');
    const told = { code: 'measure.sizes', where: 'its shape is [n, height]' };
    expect(() => madeCalls(open.build(), {}, 4)).toThrow(expect.objectContaining(told));
    expect(() => madeCalls(open.build(), { depth: 3 }, 4)).toThrow(
      expect.objectContaining({ code: 'measure.sizes', remedy: 'It has n, height.' }),
    );
  });
});
