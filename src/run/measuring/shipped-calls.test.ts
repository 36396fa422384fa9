import { expect, test } from 'vitest';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { int64 } from '../../onnx/tensor.ts';
import { answersOf, shippedCalls, shippedFeeds } from './shipped-calls.ts';

/** A decoder in outline: what it keeps of a text comes in and goes out. */
function decoder() {
  const g = new GraphBuilder();
  const ids = g.input('input_ids', 'int64', ['batch', 'sequence']);
  g.input('attention_mask', 'int64', ['batch', 'all']);
  const past = g.input('past_key_values.0.key', 'float32', ['batch', 2, 'past', 4]);
  g.output(g.cast(ids, 'float32'), 'logits');
  g.output(g.identity(past), 'present.0.key');
  return g.build();
}

test('a decoder is fed texts with nothing before them, and gives its answers alone', () => {
  const graph = decoder();
  const columns = { input_ids: int64([1, 2, 3, 4], [2, 2]), attention_mask: int64([1, 1, 1, 1], [2, 2]) };
  const asked: (readonly string[])[] = [];
  const speedCalls = (_split: unknown, _rows: number, _calls?: number, names: readonly string[] = []) => {
    asked.push(names);
    return [columns];
  };
  const [call] = shippedCalls({ speedCalls } as never, {} as never, graph, 2);
  expect(asked).toEqual([['input_ids', 'attention_mask']]);
  expect(call).toEqual({
    ...columns,
    'past_key_values.0.key': expect.objectContaining({ dims: [2, 2, 0, 4] }),
  });
  expect(shippedFeeds(graph)({ ...columns, labels: int64([1], [1]) })).toEqual(call);
  expect(answersOf(graph)).toEqual(['logits']);
});
