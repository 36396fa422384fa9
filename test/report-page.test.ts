import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../src/report/html/page.ts';
import { hostileReport } from '../src/report/testing/hostile-report.ts';
import { syntheticReport } from '../src/report/testing/synthetic-report.ts';
import { CHROMIUM_ARGS, findChromium } from './support/chromium.ts';

const executablePath = findChromium();
if (!executablePath) console.warn('no chromium on the PATH: the report is not opened in a browser');

describe.skipIf(!executablePath)('report.html in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limbeck-report-'));
  let browser: Browser;

  beforeAll(async () => {
    writeFileSync(join(folder, 'report.html'), renderReport(syntheticReport()));
    writeFileSync(join(folder, 'hostile.html'), renderReport(hostileReport()));
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: CHROMIUM_ARGS,
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page of the folder; `complaints` gathers all that a browser says against it. */
  async function open(file: string, options: BrowserContextOptions) {
    const page = await browser.newPage(options);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:') || !request.isNavigationRequest())
        complaints.push(request.url());
    });
    await page.goto(pathToFileURL(join(folder, file)).href);
    return { page, complaints };
  }

  it.each(['report.html', 'hostile.html'])(
    '%s fits phone and desk, light and dark, without a complaint',
    async (file) => {
      const { page, complaints } = await open(file, {});
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 800 });
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
        }
      }
      expect(await page.title()).not.toBe('owned');
      expect(await page.locator('img, iframe, object, link').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it.each(['light', 'dark'] as const)('has text of enough contrast in %s', async (colorScheme) => {
    const { page } = await open('report.html', { colorScheme });
    const { weak, checked } = await contrasts(page);
    expect(checked).toBeGreaterThan(300);
    expect(weak).toEqual([]);
    await page.close();
  });

  it('has its own background in dark and in light', async () => {
    const background = async (colorScheme: 'light' | 'dark') => {
      const { page } = await open('report.html', { colorScheme });
      const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.close();
      return color;
    };
    expect(await background('light')).not.toBe(await background('dark'));
  });

  it('is whole without its script, and copies the command with it', async () => {
    const still = await open('report.html', { javaScriptEnabled: false });
    expect(await still.page.locator('h2').count()).toBe(11);
    expect(await still.page.locator('#copy').isVisible()).toBe(false);
    await still.page.close();

    const { page, complaints } = await open('report.html', {});
    await page.locator('#copy').click();
    await page
      .locator('#copy')
      .getByText(/Copied|Selected/)
      .waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('tells of the nodes of the knowledge graph, and enlarges it by button, key and wheel', async () => {
    const { page, complaints } = await open('report.html', { viewport: { width: 1280, height: 900 } });
    const graph = page.locator('svg.graph');
    const width = async () => Number((await graph.getAttribute('viewBox'))?.split(' ')[2]);
    const whole = await width();
    await page.locator('[data-zoom=in]').click();
    const once = await width();
    expect(once).toBeLessThan(whole);
    await graph.focus();
    await page.keyboard.press('+');
    const twice = await width();
    expect(twice).toBeLessThan(once);
    await graph.hover();
    await page.mouse.wheel(0, -200);
    await expect.poll(width).toBeLessThan(twice);
    await page.keyboard.press('0');
    expect(await width()).toBe(whole);
    await page.locator('.node.head').first().focus();
    expect(await page.locator('.graph-info').textContent()).toMatch(
      /^head \d, layer 0: .* of all heads, .* logits/,
    );
    expect(await page.locator('.node.near').count()).toBeGreaterThan(3);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('names every picture and every table column for those who do not see them', async () => {
    const { page } = await open('report.html', {});
    const unnamed = await page.evaluate(() => ({
      pictures: [...document.querySelectorAll('svg[role=img]')].filter(
        (svg) => !svg.getAttribute('aria-label'),
      ).length,
      loose: [...document.querySelectorAll('svg')].filter(
        (svg) => !svg.closest('[role=img], [role=group][aria-label], [aria-hidden=true]'),
      ).length,
      headers: [...document.querySelectorAll('thead th')].filter((cell) => !cell.textContent?.trim()).length,
    }));
    expect(unnamed).toEqual({ pictures: 0, loose: 0, headers: 0 });
    await page.close();
  });
});

/** Texts in HTML whose contrast with the background behind them is below 4.5 (WCAG 2.2, 1.4.3). */
function contrasts(page: Page) {
  return page.evaluate(() => {
    const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (color: string) => {
      const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
        const part = channel / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (element: Element | null): string => {
      if (!element) return 'rgb(255, 255, 255)';
      const color = getComputedStyle(element).backgroundColor;
      return channels(color)[3] === 0 ? behind(element.parentElement) : color;
    };
    const weak: string[] = [];
    let checked = 0;
    for (const element of document.querySelectorAll('body *:not(svg *):not(script)')) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      if (!own) continue;
      checked += 1;
      const [one, two] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
      const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
      if (contrast < 4.5)
        weak.push(`${element.tagName} ${element.textContent?.slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return { weak, checked };
  });
}
