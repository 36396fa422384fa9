import { subgraph } from '../../onnx/attributes.ts';
import { findValue, type Graph, type Value } from '../../onnx/graph.ts';
import { renameValue } from '../../onnx/passes/rename-value.ts';
import { float32, int64 } from '../../onnx/tensor.ts';
import { answeredExits, type ExitAnswer } from './answered-exits.ts';
import { BranchParts, type NewValue } from './branch-parts.ts';
import { exitsOf, withExits, withoutExits } from './kept-exits.ts';
import { type Segment, segmentsOf } from './segments.ts';

/** The output that says by which exit a sample left, int64 [batch]: 1 for the first one, one more than there are for the end. */
export const EXIT_OUTPUT = 'exit';

/** Of each exit the least confidence by which a sample leaves; null for one by which none does. */
export type Thresholds = readonly (number | null)[];

/**
 * A network with exits as one graph in which samples leave early: what lies behind an exit is in a branch of an `If`, and is
 * not computed once all samples of the batch are as sure as the exit asks. Outputs: the logits of the end under its name, now
 * of whichever exit each sample left by, and `exit`.
 *
 * Each sample is answered by the first exit at which it is sure enough, whoever is in its batch: deeper layers are computed for
 * the whole batch as long as one sample needs them, and change no answer that was given. An exit by which none leaves is not
 * in the graph.
 */
export function withConditions(graph: Graph, thresholds: Thresholds): Graph {
  const { graph: answered, answers, output } = renamedEnd(graph);
  const exits = answers.slice(0, -1).flatMap((answer, i): TakenExit[] => {
    const threshold = thresholds[i];
    return typeof threshold === 'number' ? [{ answer, threshold, number: i + 1 }] : [];
  });
  const end = answers.at(-1) as ExitAnswer;
  const network: Network = {
    graph: answered,
    exits,
    end,
    number: answers.length,
    segments: segmentsOf(answered, [
      ...exits.map(({ answer }) => [answer.logits, answer.confidence]),
      [end.logits],
    ]),
  };
  const main = new BranchParts();
  const [logits, exit] = outcomeFrom(network, 0, main, undefined);
  const outputs = [
    main.emit('Identity', [logits], { ...(logits as NewValue), name: output }),
    main.emit('Identity', [exit], { ...(exit as NewValue), name: EXIT_OUTPUT }),
  ];
  return { ...answered, ...main.graph(), outputs };
}

interface TakenExit {
  readonly answer: ExitAnswer;
  readonly threshold: number;
  /** Among all exits, from 1 on. */
  readonly number: number;
}

interface Network {
  readonly graph: Graph;
  readonly exits: readonly TakenExit[];
  readonly end: ExitAnswer;
  /** The end's. */
  readonly number: number;
  /** To the first exit that is taken, from there to the second, ..., to the end. */
  readonly segments: readonly Segment[];
}

/** Of rows that have not left before: their logits float32 [batch, classes], and by which exit they leave, int64 [batch]. */
type Outcome = readonly [logits: Value, exit: Value];

/** The network with its exits answered; the logits of its end have another name, for theirs is that of the output. */
function renamedEnd(graph: Graph) {
  const exits = exitsOf(graph);
  const end = exits && findValue(graph, exits.output);
  if (!end) throw new Error(`${graph.name} has no exits`);
  const output = `exits/end/${exits.output}`;
  const { graph: answered, answers } = answeredExits(
    withExits(renameValue(graph, end, output), { ...exits, output }),
  );
  // What goes on from here is no network with exits that could be trained further.
  return { graph: withoutExits(answered), answers, output: exits.output };
}

/** Computes a segment, and everything behind it in a branch. @param left which rows have left before, bool [batch] */
function outcomeFrom(network: Network, index: number, parts: BranchParts, left: Value | undefined): Outcome {
  parts.add(network.segments[index] as Segment);
  const { graph, end, number } = network;
  const exit = network.exits[index];
  if (!exit) return [end.logits, numberOf(parts, end.logits, number, 'exits/end')];
  const { answer, threshold } = exit;
  const scope = `exits/${exit.number}`;
  const classes = answer.logits.shape ?? [];
  const rows = classes.slice(0, 1);
  const bools = (name: string) => ({ name: `${scope}/${name}`, type: 'bool', shape: rows }) as const;

  const least = parts.constant(`${scope}/threshold`, float32([threshold], []));
  // Who has left before is sure of anything.
  const sureness = { name: `${scope}/sureness`, type: 'float32', shape: rows } as const;
  const sure = left
    ? parts.emit(
        'Where',
        [left, parts.constant(`${scope}/left`, float32([2], [])), answer.confidence],
        sureness,
      )
    : answer.confidence;
  const fewest = { name: `${scope}/least`, type: 'float32', shape: [] } as const;
  const leastSure = parts.emit('ReduceMin', [sure], fewest, { keepdims: 0 });
  const all = { name: `${scope}/all`, type: 'bool', shape: [] } as const;
  const condition = parts.emit('GreaterOrEqual', [leastSure, least], all);

  const logitsIn = (place: string) =>
    ({ name: `${scope}/${place}logits`, type: 'float32', shape: classes }) as const;
  const exitIn = (place: string) => ({ name: `${scope}/${place}exit`, type: 'int64', shape: rows }) as const;
  const out = new BranchParts();
  const now: Outcome = [
    out.emit('Identity', [answer.logits], logitsIn('then/')),
    numberOf(out, answer.logits, exit.number, `${scope}/then`),
  ];
  const on = new BranchParts();
  const leaves = on.emit('GreaterOrEqual', [answer.confidence, least], bools('else/leaves'));
  const gone = left ? on.emit('Or', [left, leaves], bools('else/gone')) : leaves;
  const [deeper, later] = outcomeFrom(network, index + 1, on, gone);
  const axes = on.constant(`${scope}/else/axes`, int64([1]));
  const column = on.emit('Unsqueeze', [leaves, axes], { ...bools('else/column'), shape: [...rows, 1] });
  const own = on.constant(`${scope}/else/number`, int64([exit.number], []));
  const merged: Outcome = [
    on.emit('Where', [column, answer.logits, deeper], logitsIn('else/')),
    on.emit('Where', [leaves, own, later], exitIn('else/')),
  ];
  const branch = (name: string, inside: BranchParts, outputs: Outcome) =>
    subgraph({
      ...graph,
      ...inside.graph(),
      name: `${scope}/${name}`,
      inputs: [],
      outputs,
      metadata: new Map(),
    });
  return parts.emitAll('If', [condition], [logitsIn(''), exitIn('')], {
    then_branch: branch('then', out, now),
    else_branch: branch('else', on, merged),
  }) as unknown as Outcome;
}

/** An exit's number for each row. */
function numberOf(parts: BranchParts, logits: Value, number: number, scope: string): Value {
  const rows = logits.shape?.slice(0, 1) ?? [];
  const sizes = parts.emit(
    'Shape',
    [logits],
    { name: `${scope}/rows`, type: 'int64', shape: [1] },
    { start: 0, end: 1 },
  );
  return parts.emit(
    'ConstantOfShape',
    [sizes],
    { name: `${scope}/number`, type: 'int64', shape: rows },
    { value: int64([number]) },
  );
}
