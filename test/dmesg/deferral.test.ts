import { describe, expect, it } from 'vitest';
import { deferralEvent } from '../../harness/dmesg/deferral.ts';
import { eventsOf } from './mutate.ts';

const at = { line: 1, time: 249_084 };

describe('an error number of a deferral in a message', () => {
  it('is the deferral of the driver that prints it', () => {
    expect(deferralEvent('qcom-dp 1.dp: failed to get usb-ddr path: -517', at)).toMatchObject({
      event: 'deferred',
      by: 'driver',
      device: '1.dp',
      driver: 'qcom-dp',
    });
  });

  it('is none of the driver where the driver core prints it', () => {
    // As Linux 6.1 printed it for a device that waited for its IOMMU: the driver had not been called.
    const text = 'platform 5e100000.dma-controller: driver bam-dma-engine async attach completed: -517';
    expect(deferralEvent(text, at)).toBeNull();
  });
});

describe('a list of deferred devices that nothing introduces', () => {
  const listed = (text: string) =>
    eventsOf(Buffer.from(`${text}\n`)).flatMap((event) => (event.event === 'deferral-listed' ? [event.device] : []));

  it('is one only with the tab of the file in sysfs', () => {
    expect(listed('1c00000.usb\tplatform: supplier 1d00000.phy not ready')).toEqual(['1c00000.usb']);
    expect(listed('1c00000.usb  platform: supplier 1d00000.phy not ready')).toEqual([]);
    expect(
      listed('# cat /sys/kernel/debug/devices_deferred\n1c00000.usb  platform: supplier 1d00000.phy not ready'),
    ).toEqual(['1c00000.usb']);
  });
});
