import { describe, expect, test } from 'vitest';
import { Drivers } from '../../harness/kernel/matches.ts';
import { ModuleMatcher, moduleInfo } from '../../harness/kernel/modalias.ts';

/** struct of_device_id, struct i2c_device_id and struct spi_device_id (include/linux/mod_devicetable.h). */
const ofEntry = (compatible: string) =>
  `${compatible.padStart(64 + compatible.length, '\0').padEnd(192, '\0')}${POINTER}`;
const i2cEntry = (name: string) => `${name.padEnd(24, '\0')}${POINTER}`;
const spiEntry = (name: string) => `${name.padEnd(32, '\0')}${POINTER}`;
const POINTER = '\x10\x20\x30\x40\x50\x60\x70\xff';

const image = Buffer.from(
  [
    i2cEntry('ds-clock'),
    ofEntry('acme,uart-v2'),
    spiEntry('a-flash-with-a-long-name'),
    'acme,text\0\0\0\0\0\0\0acme,other\0', // strings of code, which may be aligned as well
    `x${'\0'.repeat(7)}.${'acme,unaligned'.padEnd(128, '\0')}`,
  ].join(''),
  'latin1',
);
const index = {
  modules: [
    moduleInfo('acme_dma', [
      ['alias', 'of:N*T*Cacme,dmaC*'],
      ['alias', 'of:N*T*Cacme,dma'],
    ]),
    moduleInfo('acme_dma_new', [['alias', 'of:N*T*Cacme,dma']]),
    moduleInfo('sensor', [['alias', 'i2c:sensor9']]),
  ],
  builtin: ['of:N*T*Cacme,listedC*', 'of:N*T*Cacme,listed'],
};
const drivers = new Drivers(image, new ModuleMatcher(index));

describe('the driver of a node', () => {
  test.each([
    ['in the table of an image', 'acme,uart-v2', 'builtin'],
    ['of which the image has the beginning', 'acme,uart', 'none'],
    ['of which the image has the end', 'uart-v2', 'none'],
    ['in a table of I2C devices', 'maxim,ds-clock', 'builtin'],
    ['in a table of SPI devices', 'acme,a-flash-with-a-long-name', 'builtin'],
    ['in the list of what is built in', 'acme,listed', 'builtin'],
    ['in a string of the code', 'acme,text', 'none'],
    ['in another one', 'acme,other', 'none'],
    ['in the middle of something', 'acme,unaligned', 'none'],
    ['that is matched by a register', 'arm,primecell', 'unknown'],
    ['that is matched by USB', 'usb1234,5678', 'unknown'],
    ['that is nowhere', 'acme,nothing', 'none'],
  ])('%s: %s', (_where, compatible, kind) => {
    expect(drivers.find([compatible])).toEqual({ kind });
  });

  test('is each module that has one of its compatibles', () => {
    expect(drivers.find(['acme,dma-v3', 'acme,dma'])).toEqual({
      kind: 'modules',
      modules: ['acme_dma', 'acme_dma_new'],
    });
    expect(drivers.find(['acme,sensor9'])).toEqual({ kind: 'modules', modules: ['sensor'] });
  });

  test('is not a module’s where one is built in', () => {
    expect(drivers.find(['acme,uart-v2', 'acme,dma'])).toEqual({ kind: 'builtin' });
  });

  test('cannot be told of a packed image', () => {
    const packed = new Drivers(null, new ModuleMatcher(index));
    expect(packed.find(['acme,uart-v2'])).toEqual({ kind: 'unknown' });
    expect(packed.find(['acme,dma'])).toEqual({ kind: 'unknown' });
  });
});
