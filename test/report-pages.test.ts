import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticPages } from '../src/report/testing/synthetic-pages.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';
import { patience } from './support/patience.ts';
import { textFaults } from './support/svg-text.ts';

const executablePath = findChromium();
if (!executablePath) console.warn('no chromium on the PATH: the pages are not opened in a browser');

const pages = syntheticPages();
const WIDTHS = [390, 1280];

describe.skipIf(!executablePath)('every kind of page in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-pages-'));
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: CHROMIUM_ARGS });
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      const isOwn = request.url().startsWith('file:') && request.isNavigationRequest();
      if (!isOwn && !/^data:(image|audio)\//.test(request.url())) complaints.push(request.url());
    });
    // Also what the page reports to nobody.
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`${event.violatedDirective} refused ${event.blockedURI}`);
      });
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.entries(pages))('%s', { timeout: patience(60) }, async (name, content) => {
    const file = join(folder, `${name}.html`);
    writeFileSync(file, content);
    complaints.length = 0;
    await page.goto(pathToFileURL(file).href);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `width at ${width}`).toBe(
        width,
      );
      // No name touches another, and none is cut.
      expect(await textFaults(page), `texts at ${width}`).toEqual([]);
    }
    const state = await page.evaluate(() => ({
      title: document.title,
      images: document.images.length,
      broken: [...document.images].filter((image) => !(image.complete && image.naturalWidth > 0)).length,
      links: [...document.querySelectorAll('nav.contents a')].map((link) => link.getAttribute('href')),
      headings: [...document.querySelectorAll('h2')].map((heading) => `#${heading.id}`),
      ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
      foreign: document.querySelectorAll('iframe, object, link, script[src]').length,
    }));
    expect(state.title).not.toBe('owned');
    expect(state.images > 0).toBe(name === 'image' || name === 'audio');
    expect(state.broken).toBe(0);
    expect(state.links).toEqual(state.headings);
    expect(new Set(state.ids).size).toBe(state.ids.length);
    expect(state.foreign).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('lets clips be heard', { timeout: patience(60) }, async () => {
    const file = join(folder, 'heard.html');
    writeFileSync(file, pages.audio as string);
    complaints.length = 0;
    await page.goto(pathToFileURL(file).href);
    const seconds = await page.evaluate(async () => {
      const [audio] = document.querySelectorAll('audio');
      if (!audio) return 0;
      await new Promise((resolve, reject) => {
        audio.addEventListener('loadedmetadata', resolve);
        audio.addEventListener('error', () => reject(new Error(audio.error?.message)));
        audio.load();
      });
      return audio.duration;
    });
    expect(seconds).toBeCloseTo(0.5);
    expect(complaints).toEqual([]);
  });

  it('is short enough to look through, and has a way past its head', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(pathToFileURL(join(folder, 'text.html')).href);
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(17_000);
    await page.keyboard.press('Tab');
    const skip = page.locator('a.skip');
    expect(await skip.evaluate((link) => link === document.activeElement)).toBe(true);
    await expect.poll(async () => (await skip.boundingBox())!.y).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => location.hash)).toBe('#content');
    await page.locator('nav.contents a').last().click();
    const top = await page.evaluate(() => document.querySelector('#repeat')!.getBoundingClientRect().top);
    expect(top).toBeLessThan(800);
  });

  it('says that an axis is cut, and cuts it for a narrow story only', async () => {
    const cut = async (name: string) => {
      await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
      return page.locator('p.cut').allTextContents();
    };
    expect(await cut('narrow')).toEqual([expect.stringMatching(/^The axis is cut: it begins at 9[67]/)]);
    expect(await cut('text')).toEqual([]);
  });
});
