import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPage } from '../web/emoji/build.ts';
import { nearest } from '../web/emoji/finder.ts';
import { packVectors, unpackVectors } from '../web/emoji/gallery.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { writeUntrainedDualEncoder } from './support/dual-encoder.ts';
import { patience } from './support/patience.ts';
import { type StaticServer, serveFolder } from './support/static-server.ts';

it('the nearest rows come first, and packing loses no more than a hundredth', () => {
  const table = Float32Array.of(1, 0, 0.6, 0.8, 0, -1);
  expect(nearest(Float32Array.of(0.8, 0.6), table, 2)).toEqual([1, 0]);
  const unpacked = unpackVectors(packVectors(table).buffer as ArrayBuffer, 2);
  expect([...unpacked]).toEqual([...table].map((value) => expect.closeTo(value, 2)));
});

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
    const out = join(folder, 'page');
    await buildPage({ teacher, student, out, drawings: 60 });
    server = await serveFolder(out);
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGS });
  }, patience(120));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the nearest drawings of both models beside each other, with their times', {
    timeout: patience(60),
  }, async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
    });
    await page.goto(`${server.origin}/index.html`);
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
