import { describe, expect, it } from 'vitest';
import { subgraph } from '../attributes.ts';
import type { Graph } from '../graph.ts';
import { float32 } from '../tensor.ts';
import { graphOf, nodeOf, valueNamed } from '../testing/small-graph.ts';
import { checkGraph } from './check-graph.ts';

const [x, a, b] = [valueNamed('x'), valueNamed('a'), valueNamed('b')];
const inner = valueNamed('inner');
const withBody = (body: Graph) =>
  graphOf([x], [nodeOf('If', [x], [a], { then_branch: subgraph(body) })], [a]);

describe('checkGraph', () => {
  it('accepts a graph that is right, with a subgraph that reads around itself', () => {
    checkGraph(withBody(graphOf([], [nodeOf('Neg', [x], [inner])], [inner])));
  });

  it.each<[string, Graph, string]>([
    [
      'a name of two values',
      graphOf([x], [nodeOf('Neg', [x], [valueNamed('x')])], []),
      'not the only one of its name',
    ],
    ['a value without name', graphOf([valueNamed('')], [], []), 'has no name'],
    [
      'nodes out of order',
      graphOf([x], [nodeOf('Neg', [a], [b]), nodeOf('Neg', [x], [a])], [b]),
      'before anything',
    ],
    ['another value of the same name', graphOf([x], [nodeOf('Neg', [valueNamed('x')], [a])], [a]), 'another'],
    ['an undefined output', graphOf([x], [], [a]), "an output reads 'a'"],
    ['an output twice', graphOf([x], [], [x, x]), 'twice'],
    [
      'an initializer of another shape',
      graphOf([], [], [x], [[x, float32([1])]]),
      'float32[1], its value float32[2,3]',
    ],
    [
      'a domain without opset',
      graphOf([x], [{ ...nodeOf('Neg', [x], [a]), domain: 'mine' }], [a]),
      "opset for 'mine'",
    ],
    [
      'a subgraph that hides a name',
      withBody(graphOf([], [nodeOf('Neg', [x], [valueNamed('x')])], [])),
      'If:a',
    ],
    [
      'a subgraph that reads what comes later',
      withBody(graphOf([], [nodeOf('Neg', [a], [inner])], [inner])),
      "'a'",
    ],
  ])('refuses %s', (_title, graph, message) => {
    expect(() => checkGraph(graph)).toThrow(message);
  });
});
