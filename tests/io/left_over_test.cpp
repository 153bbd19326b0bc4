// What a system that fails us leaves behind: temporaries of killed processes, files that could not
// be tried first.
#include "io/left_over.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "axmul/io/atomic_file.hpp"
#include "axmul/io/h5.hpp"
#include "support/support.hpp"

using namespace axmul;

namespace {

std::size_t count_files(const test::ScratchDir& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    count += entry.exists();
  return count;
}

/// Runs f in a process of its own; its exit code, or minus the signal that ended it.
template <class F>
int in_child(F&& f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int killed_while_writing(const std::string& target) {
  return in_child([&] {
    AtomicFile file(target);
    file.write("half");
    return ::kill(::getpid(), SIGKILL);
  });
}

}  // namespace

TEST_CASE("the next output into a folder removes what killed processes left there") {
  const test::ScratchDir folder;
  for (int i = 0; i < 3; ++i)
    CHECK(killed_while_writing((folder / ("f" + std::to_string(i))).string()) == -SIGKILL);
  // A child sees the folder for the first time; the last of the three removed two already.
  CHECK(count_files(folder) == 1);
  test::write_text(folder / "mine.tmp-0123456789abcdef", "no temporary of ours");
  test::write_text(folder / "x.tmp-00000000-1-00000000", "of another machine");
  const std::string living = "y.tmp-" + detail::process_tag() + "-00000000";
  test::write_text(folder / living, "of a process that lives");
  CHECK(in_child([&] {
          write_file((folder / "f0").string(), "whole");
          return 0;
        }) == 0);
  CHECK(count_files(folder) == 4);
  CHECK(test::read_text(folder / "f0") == "whole");
  CHECK(std::filesystem::exists(folder / living));
  CHECK(std::filesystem::exists(folder / "x.tmp-00000000-1-00000000"));
}

TEST_CASE("links are left alone, and folders of the dead are removed with what they hold") {
  const test::ScratchDir folder, elsewhere;
  std::string dead;
  const test::ScratchDir exchange;
  CHECK(in_child([&] {
          test::write_text(exchange / "tag", detail::process_tag());
          return 0;
        }) == 0);
  dead = test::read_text(exchange / "tag");
  std::filesystem::create_directories(folder / ("axmul-" + dead + "-a/b"));
  test::write_text(folder / ("axmul-" + dead + "-a/b/c"), "text");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / ("axmul-" + dead + "-b"));
  test::write_text(folder / ("other-" + dead + "-c"), "text");
  detail::remove_left_overs(folder.path().string(), "axmul-");
  CHECK(count_files(folder) == 2);
  CHECK(std::filesystem::is_symlink(folder / ("axmul-" + dead + "-b")));
  CHECK(std::filesystem::exists(elsewhere.path()));
}

TEST_CASE("a file that was read without a rehearsal is told of, once") {
  const test::ScratchDir folder;
  const std::string path = (folder / "x.h5").string();
  h5::File::create(path).close();
  const int code = in_child([&] {
    // As where a system has no process to spare: clone() fails.
    sock_filter filter[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_clone},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EAGAIN},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog program{4, filter};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
      return 77;
    h5::File::open(path);
    const bool told = h5::take_unrehearsed_files() == std::vector<std::string>{path};
    return told && h5::take_unrehearsed_files().empty() ? 0 : 1;
  });
  if (code == 77) AXMUL_SKIP("needs seccomp");
  CHECK(code == 0);
  h5::File::open(path);
  CHECK(h5::take_unrehearsed_files().empty());
}
