/** A device of the stand-in SoC whose probe order the matrix is about, and the driver that binds to it. */
export interface BoardDevice {
  /** Path of its node. */
  readonly node: string;
  /** Name on the platform bus: parent and node name for /firmware's children, unit address and name otherwise (drivers/of/platform.c, of_device_make_bus_id). */
  readonly device: string;
  /** Name of the platform driver, as `driver_async_probe=` wants it. */
  readonly driver: string;
  /** Name of its module, dashes folded to underscores. */
  readonly module: string;
}

/** drivers/firmware/qcom_scm.c; the object is `qcom-scm.o`, so the module's name is `qcom_scm` in every kernel since 5.11. */
export const SCM: BoardDevice = {
  node: '/firmware/scm',
  device: 'firmware:scm',
  driver: 'qcom_scm',
  module: 'qcom_scm',
};

/** drivers/iommu/arm/arm-smmu/arm-smmu.c. */
export const SMMU: BoardDevice = {
  node: '/soc/iommu@5f000000',
  device: '5f000000.iommu',
  driver: 'arm-smmu',
  module: 'arm_smmu',
};

/** Parent of the scm node; the `node` axis moves it among the root's children. */
export const FIRMWARE_NODE = '/firmware';
