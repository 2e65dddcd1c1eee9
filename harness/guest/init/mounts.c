#include "mounts.h"

#include "report.h"

void mount_or_report(const char *type, const char *target)
{
	long result = sys_mount(type, target);

	if (result < 0) {
		line("mount");
		line_word(target);
		line_result(result);
		line_send();
	}
}

void need_proc(void)
{
	static bool mounted;

	if (!mounted)
		mount_or_report("proc", "/proc");
	mounted = true;
}
