import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distill, parseRecipe } from '../src/index.ts';
import { writeGraphml } from '../src/knowledge/graph/graphml.ts';
import { knowledgeGraphSchema } from '../src/knowledge/graph/knowledge-graph.ts';
import { layerMapFromGraph } from '../src/knowledge/graph/layer-choice.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { toEvaluationForm } from '../src/onnx/passes/to-evaluation-form.ts';
import { randomStream } from '../src/random.ts';
import { HOSTILE } from '../src/report/testing/hostile-report.ts';
import { syntheticGraph } from '../src/report/testing/synthetic-graph.ts';
import { buildClassifier } from '../src/students/build-student.ts';
import { resnet } from '../src/students/resnet.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { fileHash } from './support/file-hash.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const SIDE = 8;
const place = new RunPlace();
afterAll(() => place.remove());

const head = (...numbers: number[]) =>
  Buffer.concat(
    numbers.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );

/** Images whose class is the half that is bright, and a teacher that nobody trained. */
beforeAll(() => {
  mkdirSync(place.path('pictures'));
  for (const [part, count] of [
    ['train', 120],
    ['t10k', 40],
  ] as const) {
    const random = randomStream(count, 'pictures');
    const pixels = Buffer.from(
      Array.from({ length: count * SIDE * SIDE }, (_, at) => {
        const isTop = Math.floor(at / (SIDE * SIDE)) % 2 === 0;
        const isBright = at % (SIDE * SIDE) < (SIDE * SIDE) / 2 === isTop;
        return (isBright ? 150 : 50) + random.integer(80);
      }),
    );
    const labels = Buffer.from(Array.from({ length: count }, (_, index) => index % 2));
    writeFileSync(
      place.path('pictures', `${part}-images-idx3-ubyte.gz`),
      gzipSync(Buffer.concat([head(0x803, count, SIDE, SIDE), pixels])),
    );
    writeFileSync(
      place.path('pictures', `${part}-labels-idx1-ubyte`),
      Buffer.concat([head(0x801, count), labels]),
    );
  }
  const options = resnet.options.parse({ width: 8, stages: 2, blocks: 3, zeroInit: false });
  const shape = { channels: 1, height: SIDE, width: SIDE, classes: 2, random: randomStream(1, 'teacher') };
  writeModelFile(place.path('teacher.onnx'), toEvaluationForm(buildClassifier(resnet, options, shape).graph));
});

function recipe(layers: string) {
  return parseRecipe(`
name: graph
task: image-classification
data:
  source: { kind: idx, path: pictures, classes: [top, bottom] }
  splits: { validation: 20 }
teacher: { kind: onnx-image, model: teacher.onnx, atChance: warn }
student: { kind: resnet, width: 4, stages: 2, blocks: 1 }
training: { epochs: 1, batchSize: 20, earlyStopping: false }
knowledge: { layers: ${layers}, graph: { samples: 40 } }
export: { int8: false }
`);
}

describe('a run with a knowledge graph', () => {
  it('writes it, lets it choose the layers, and comes to the same graph again', {
    timeout: patience(60),
  }, async () => {
    await distill(recipe('graph'), place.options('graph', { baseline: false }));
    const folder = place.path('runs', 'graph');
    const file = `${folder}/knowledge-graph.json`;
    const graph = knowledgeGraphSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(graph).toMatchObject({ samples: 40, unit: 'images' });
    expect(graph.layers.length).toBeGreaterThan(3);
    expect(graph.nodes.filter(({ kind }) => kind === 'input')).toHaveLength(16);
    for (const { channels } of graph.layers)
      expect(channels.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
    const report = JSON.parse(readFileSync(`${folder}/report.json`, 'utf8'));
    const chosen = layerMapFromGraph(graph, report.knowledgeGraph.layers.length);
    expect(report.knowledgeGraph.chosenBy).toBe('graph');
    expect(
      report.knowledgeGraph.layers.map(({ teacher, weight }: Record<string, unknown>) => [teacher, weight]),
    ).toEqual(chosen.map((pair) => [graph.layers[pair.teacher]?.name, pair.weight]));
    expect(readFileSync(`${folder}/report.html`, 'utf8')).toContain('What the teacher knows by');

    // As after a cut: what is left is read, what is gone is drawn again, to the last bit.
    const before = fileHash(file);
    const drawn: string[] = [];
    for (const gone of [['result.json'], ['result.json', 'knowledge-graph.json']]) {
      for (const name of gone) rmSync(`${folder}/${name}`);
      await distill(
        recipe('graph'),
        place.options('graph', {
          baseline: false,
          onEvent: (event) => {
            if (event.type === 'stage-end' && event.stage === 'label') drawn.push(event.summary);
          },
        }),
      );
      expect(fileHash(file)).toBe(before);
    }
    expect(drawn[0]).toBe('it was there already');
    expect(drawn[2]).toMatch(/nodes and \d+ edges from 40 images/);
  });
});

const executablePath = findChromium();

it.skipIf(!executablePath)('GraphML of hostile names is read by an XML parser', async () => {
  const labels = Array.from({ length: 6 }, (_, label) => `${label} ${HOSTILE}`);
  const { graph } = syntheticGraph(labels, (name) => `${name} ${HOSTILE}\ufffe`);
  expect(knowledgeGraphSchema.parse(JSON.parse(JSON.stringify(graph)))).toEqual(graph);
  const browser = await chromium.launch({ executablePath: executablePath!, args: CHROMIUM_ARGS });
  try {
    const page = await browser.newPage();
    const read = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'application/xml');
      return {
        error: parsed.querySelector('parsererror')?.textContent ?? null,
        nodes: parsed.querySelectorAll('graph > node').length,
        edges: parsed.querySelectorAll('graph > edge').length,
        labels: [...parsed.querySelectorAll('data[key=node-label]')].map(({ textContent }) => textContent),
      };
    }, writeGraphml(graph));
    expect(read.error).toBeNull();
    expect([read.nodes, read.edges]).toEqual([graph.nodes.length, graph.edges.length]);
    expect(read.labels.some((label) => label?.includes('</script></style></title>'))).toBe(true);
  } finally {
    await browser.close();
  }
});
