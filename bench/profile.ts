/**
 * Where the time of a training step goes: runs it under ONNX Runtime's profiler and adds up its operators.
 *
 *     npx tsx bench/profile.ts MODEL [--by operator|place|node] [--steps 5] [--top 30] [--only OPERATOR] [--uncalibrated]
 *
 * By operator (with the shape of its first output, `--by shape`), by place (the node's name with its numbers left out),
 * or node by node. Times are medians over the steps, in milliseconds; fused nodes have names that ORT gave them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWith, scriptArguments } from '../scripts/script-arguments.ts';
import { BENCH_MODELS } from './models.ts';
import { ourStep } from './our-step.ts';
import { median } from './statistics.ts';

interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly node_index?: string;
    readonly output_type_shape?: readonly Record<string, readonly number[]>[];
    readonly output_size?: string;
  };
}

type Key = (event: ProfileEvent) => string;

const nodeName = ({ name }: ProfileEvent) => name.replace(/_kernel_time$/, '');
const operator: Key = ({ args }) => args.op_name ?? '';
const shapeOf: Key = ({ args }) => {
  const [type, dims] = Object.entries(args.output_type_shape?.[0] ?? {})[0] ?? ['', []];
  return `${type}[${dims.join(',')}]`;
};
const KEYS: Record<string, Key> = {
  operator,
  shape: (event) => `${operator(event)} ${shapeOf(event)}`,
  place: (event) => `${nodeName(event).replace(/\d+/g, '#')} (${operator(event)})`,
  node: (event) => `${nodeName(event)} (${operator(event)}) ${shapeOf(event)}`,
};

const { values, positionals } = scriptArguments(import.meta.url, {
  allowPositionals: true,
  options: {
    by: { type: 'string', default: 'operator' },
    steps: { type: 'string', default: '5' },
    top: { type: 'string', default: '30' },
    only: { type: 'string' },
    uncalibrated: { type: 'boolean', default: false },
  },
});
const model = BENCH_MODELS[positionals[0] ?? ''];
const key = KEYS[values.by];
if (!model || !key) {
  const [models, keys] = [BENCH_MODELS, KEYS].map((table) => Object.keys(table).join(', '));
  endWith(import.meta.url, `MODEL is one of ${models}, and --by one of ${keys}`);
}

const folder = mkdtempSync(join(tmpdir(), 'limbeck-profile-'));
try {
  const step = await ourStep(model, {
    profile: join(folder, 'step'),
    calibrated: !values.uncalibrated,
  });
  const steps = Number(values.steps);
  const times = await step.run(steps + 1);
  await step.release();
  const [file] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file as string), 'utf8')) as ProfileEvent[];
  report(events, steps, median(times.slice(1)), step.compiled.graph.nodes.length);
} finally {
  rmSync(folder, { recursive: true });
}

function report(events: readonly ProfileEvent[], steps: number, whole: number, nodes: number): void {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const perNode = new Map<string, { key: string; times: number[] }>();
  for (const event of kernels) {
    if (values.only !== undefined && operator(event) !== values.only) continue;
    const id = `${event.args.node_index} ${event.name}`;
    const entry = perNode.get(id) ?? { key: key!(event), times: [] };
    entry.times.push(event.dur / 1000);
    perNode.set(id, entry);
  }
  const totals = new Map<string, { milliseconds: number; nodes: number }>();
  for (const { key, times } of perNode.values()) {
    const total = totals.get(key) ?? { milliseconds: 0, nodes: 0 };
    total.milliseconds += median(times.slice(-steps));
    total.nodes++;
    totals.set(key, total);
  }
  const sorted = [...totals].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
  const sum = sorted.reduce((all, [, { milliseconds }]) => all + milliseconds, 0);
  console.log(
    `${nodes} nodes, ${perNode.size} run; ${sum.toFixed(1)} ms in kernels of ${whole.toFixed(1)} ms a step`,
  );
  for (const [name, total] of sorted.slice(0, Number(values.top))) {
    const share = ((100 * total.milliseconds) / sum).toFixed(1);
    console.log(
      `${total.milliseconds.toFixed(2).padStart(9)} ms ${share.padStart(5)} % ${String(total.nodes).padStart(4)} x  ${name}`,
    );
  }
}
