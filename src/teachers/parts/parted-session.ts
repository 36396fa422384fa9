import type { Session } from '../../engine/engine.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { PartedModel } from './parted-model.ts';

/**
 * A model that runs part by part as one session: each run loads every part that it needs, one at a time. It is right for a few
 * samples; many go part by part (`labelPass`).
 */
export function partedSession({ graph, parts, open }: PartedModel): Session {
  const inputNames = graph.inputs.map(({ name }) => name);
  const outputNames = graph.outputs.map(({ name }) => name);
  return {
    inputNames,
    outputNames,
    loadsEachRun: true,
    async run(feeds, fetches = {}) {
      const wanted = Object.keys(fetches).length > 0 ? Object.keys(fetches) : outputNames;
      const known = new Map<string, Tensor>(Object.entries(feeds));
      const lastPart = parts.findLastIndex(({ answers }) => answers.some((name) => wanted.includes(name)));
      for (let at = 0; at <= lastPart; at++) {
        const { carriedOut, answers } = parts[at] as (typeof parts)[number];
        const session = await open(at);
        try {
          const own = session.inputNames.map((name) => [name, known.get(name) as Tensor]);
          const made = [...carriedOut.keys(), ...answers.filter((name) => wanted.includes(name))];
          const asked = Object.fromEntries(made.map((name) => [name, null]));
          const results = await session.run(Object.fromEntries(own), asked);
          for (const [name, value] of Object.entries(results)) known.set(name, value);
        } finally {
          await session.release();
        }
        for (const part of parts.slice(0, at + 1))
          for (const [name, until] of part.carriedOut)
            if (until <= at && !wanted.includes(name)) known.delete(name);
      }
      return Object.fromEntries(wanted.map((name) => [name, known.get(name) as Tensor]));
    },
    async release() {},
  };
}
