import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBoxes, openImageWriter, parseRecipe, train } from '../src/index.ts';
import { float32, type Tensor } from '../src/onnx/tensor.ts';
import { buildPage } from '../web/emoji/build.ts';
import { nearest } from '../web/emoji/finder.ts';
import { packVectors, unpackVectors } from '../web/emoji/gallery.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { writeUntrainedDualEncoder } from './support/dual-encoder.ts';
import { patience } from './support/patience.ts';
import { writeClothes } from './support/small-clothes.ts';
import { type StaticServer, serveFolder } from './support/static-server.ts';

it('the nearest rows come first, and packing loses no more than a hundredth', () => {
  const table = Float32Array.of(1, 0, 0.6, 0.8, 0, -1);
  expect(nearest(Float32Array.of(0.8, 0.6), table, 2)).toEqual([1, 0]);
  const unpacked = unpackVectors(packVectors(table).buffer as ArrayBuffer, 2);
  expect([...unpacked]).toEqual([...table].map((value) => expect.closeTo(value, 2)));
});

/** A student that says what is there and where it is, and writes a sentence about it. */
const THREE_HEADS = `
name: scenes
task: object-detection
data:
  source: { kind: scenes, path: clothes, size: 32, things: [1, 2], sides: [0.4, 0.62], train: 24, validation: 12, test: 12 }
inputs:
  image: { modality: image, field: image }
outputs:
  classes: { target: classes, field: classes }
  boxes: { target: boxes, field: boxes, grid: [8, 8], width: 8 }
  sentence: { target: sentence, field: text, width: 8, heads: 2, layers: 1 }
student: { kind: resnet, width: 4, stages: 2, blocks: 1, stride: 2 }
training: { epochs: 1, batchSize: 12 }
export: { int8: false }
`;

const executablePath = findChromium();
if (!executablePath) console.warn('no chromium on the PATH: the page of emoji is not opened');

describe.skipIf(!executablePath)('the page of emoji', () => {
  let folder: string;
  let server: StaticServer;
  let browser: Browser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'limbeck-page-'));
    const [teacher, student] = [join(folder, 'a'), join(folder, 'b')];
    await writeUntrainedDualEncoder(teacher, 16, 1);
    await writeUntrainedDualEncoder(student, 8, 2);
    writeClothes(join(folder, 'clothes'));
    const run = join(folder, 'scenes');
    await train(parseRecipe(THREE_HEADS), { out: run, recipeFolder: folder, timingSeconds: 0 });
    const out = join(folder, 'page');
    await buildPage({ teacher, student, out, drawings: 60, scenes: { teacher: run, student: run } });
    server = await serveFolder(out);
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGS });
  }, patience(120));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page, and all that it complains about. */
  async function openedPage() {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await page.goto(`${server.origin}/index.html`);
    return { page, errors };
  }

  it('reads pictures in a second tab: boxes and a sentence of both models, with their times', {
    timeout: patience(60),
  }, async () => {
    const { page, errors } = await openedPage();
    expect(await page.locator('#readers section').count()).toBe(0);
    await page.click('text=Pictures in boxes and words');
    expect(await page.locator('#words').isHidden()).toBe(true);
    await page
      .locator('#scenes [role="status"]', { hasText: '12 pictures' })
      .waitFor({ timeout: patience(60) });
    await page.locator('#pictures button').nth(3).click();
    const own = await openImageWriter(join(folder, 'scenes'));
    const student = JSON.parse(readFileSync(join(folder, 'page', 'scenes', 'student', 'facts.json'), 'utf8'));
    const pixels = new Float32Array(
      readFileSync(join(folder, 'page', 'scenes', 'student', 'pixels.bin')).buffer.slice(0),
    );
    const size = 3 * 32 * 32;
    const { sentences, outputs } = await own.read(float32(pixels.slice(3 * size, 4 * size), [1, 3, 32, 32]));
    await own.release();
    const [boxes] = decodeBoxes(outputs.boxes as Tensor, student.boxes.labels, student.boxes);
    const scenes = JSON.parse(readFileSync(join(folder, 'page', 'scenes', 'scenes.json'), 'utf8'));
    await page.locator('#truth', { hasText: scenes.pictures[3].sentence }).waitFor();
    for (const model of ['Teacher', 'Student']) {
      const panel = page.locator(`#readers section[data-model="${model}"]`);
      // As the file says it in Node.
      await panel.locator('.sentence', { hasText: sentences[0] || '(it writes nothing)' }).waitFor();
      expect(await panel.locator('.time').textContent()).toMatch(
        /^\d+\.\d\d ms to look, \d+\.\d\d ms to write$/,
      );
      expect(await panel.locator('.box').count()).toBe(boxes?.length);
      expect(
        await panel.locator('.scene').evaluate((one) => getComputedStyle(one).backgroundImage),
      ).toContain('/scenes/pictures.png');
    }
    await page.press('#scenes-tab', 'ArrowLeft');
    expect(await page.locator('#words').isVisible()).toBe(true);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('shows the nearest drawings of both models beside each other, with their times', {
    timeout: patience(60),
  }, async () => {
    const { page, errors } = await openedPage();
    await page.waitForSelector('#word:not([disabled])', { timeout: patience(60) });
    expect(await page.textContent('#status')).toBe('60 drawings.');
    await page.fill('#word', 'dog');
    for (const model of ['Teacher', 'Student']) {
      const panel = page.locator(`section[data-model="${model}"]`);
      await panel.locator('li').nth(11).waitFor();
      expect(await panel.locator('.time').textContent()).toMatch(
        /^\d+\.\d\d ms for the word, \d+\.\d\d ms to search$/,
      );
      const names = await panel.locator('figcaption').allTextContents();
      expect(new Set(names).size).toBe(12);
      expect(names.every((name) => name.length > 0)).toBe(true);
      const sheet = await panel
        .locator('.drawing')
        .first()
        .evaluate((drawing) => getComputedStyle(drawing).backgroundImage);
      expect(sheet).toContain('/sheet.png');
    }
    await page.click('text=birthday');
    expect(await page.inputValue('#word')).toBe('birthday');
    await page.fill('#word', '');
    await expect.poll(() => page.locator('li').count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });
});
