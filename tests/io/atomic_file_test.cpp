// Atomic output: nothing under the final name before commit, refusals, links, devices, full disks.
#include "axmul/io/atomic_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "axmul/core/errors.hpp"
#include "support/support.hpp"

using namespace axmul;
namespace fs = std::filesystem;

namespace {

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

unsigned mode_of(const fs::path& path) {
  return static_cast<unsigned>(fs::status(path).permissions());
}

}  // namespace

TEST_CASE("the target appears with commit, complete") {
  const test::ScratchDir dir;
  const std::string target = (dir / "out.bin").string();
  {
    AtomicFile file(target);
    file.write("hello ");
    CHECK(!fs::exists(target));
    CHECK(fs::exists(file.path()));
    CHECK(fs::path(file.path()).parent_path() == dir.path());
    file.write("world");
    file.commit();
    CHECK(!fs::exists(file.path()));
  }
  CHECK(test::read_text(target) == "hello world");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("without commit nothing is left") {
  const test::ScratchDir dir;
  {
    AtomicFile file((dir / "out").string());
    file.write("half");
  }
  CHECK(entries(dir.path()) == 0);
}

TEST_CASE("an existing target is refused without force and kept until the new one is complete") {
  const test::ScratchDir dir;
  const std::string target = (dir / "out").string();
  test::write_text(target, "old");
  CHECK_THROWS_WITH_AS(AtomicFile{target}, doctest::Contains("--force"), OutputError);
  {
    AtomicFile file(target, true);
    file.write("new");
    CHECK(test::read_text(target) == "old");
  }
  CHECK(test::read_text(target) == "old");
  write_file(target, "new", true);
  CHECK(test::read_text(target) == "new");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("a target that appears meanwhile is not replaced") {
  const test::ScratchDir dir;
  const std::string target = (dir / "out").string();
  AtomicFile file(target);
  file.write("mine");
  test::write_text(target, "theirs");
  CHECK_THROWS_WITH_AS(file.commit(), doctest::Contains("AX130"), OutputError);
  CHECK(test::read_text(target) == "theirs");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("of many writers of one name exactly one wins") {
  const test::ScratchDir dir;
  const std::string target = (dir / "out").string();
  std::vector<int> won(8, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < won.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        write_file(target, std::string(1000, static_cast<char>('a' + i)));
        won[i] = 1;
      } catch (const OutputError&) {
      }
    });
  for (std::thread& thread : threads) thread.join();
  int winners = 0;
  for (std::size_t i = 0; i < won.size(); ++i) {
    winners += won[i];
    if (won[i]) CHECK(test::read_text(target) == std::string(1000, static_cast<char>('a' + i)));
  }
  CHECK(winners == 1);
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("a library may open the temporary by its path") {
  const test::ScratchDir dir;
  AtomicFile file((dir / "out").string());
  test::write_text(file.path(), "by path");
  file.commit();
  CHECK(test::read_text(dir / "out") == "by path");
}

TEST_CASE("commit_as leaves the target alone and replaces the other name") {
  const test::ScratchDir dir;
  test::write_text(dir / "out.partial", "older");
  AtomicFile file((dir / "out").string());
  file.write("part");
  file.commit_as((dir / "out.partial").string());
  CHECK(test::read_text(dir / "out.partial") == "part");
  CHECK(!fs::exists(dir / "out"));
}

TEST_CASE("modes: the umask for a new file, the old one's for a replaced file") {
  const test::ScratchDir dir;
  write_file((dir / "new").string(), "x");
  test::write_text(dir / "reference", "x");  // an ordinary file made by the C++ library
  CHECK(mode_of(dir / "new") == mode_of(dir / "reference"));
  fs::permissions(dir / "new", fs::perms{0640});
  write_file((dir / "new").string(), "y", true);
  CHECK(mode_of(dir / "new") == 0640);
}

TEST_CASE("a symbolic link is followed, dangling or not") {
  const test::ScratchDir dir;
  fs::create_directory(dir / "real");
  fs::create_symlink("real/file", dir / "link");
  write_file((dir / "link").string(), "one");
  CHECK(test::read_text(dir / "real/file") == "one");
  CHECK_THROWS_AS(write_file((dir / "link").string(), "two"), OutputError);
  write_file((dir / "link").string(), "two", true);
  CHECK(fs::is_symlink(dir / "link"));
  CHECK(test::read_text(dir / "real/file") == "two");
  fs::create_symlink("loop", dir / "loop");
  CHECK_THROWS_AS(write_file((dir / "loop").string(), "x"), OutputError);
}

TEST_CASE("targets that cannot be written say why") {
  const test::ScratchDir dir;
  CHECK_THROWS_WITH_AS(AtomicFile((dir / "no/such/out").string()),
                       doctest::Contains("No such file or directory; is there a folder"),
                       OutputError);
  CHECK_THROWS_WITH_AS(AtomicFile{dir.path().string()}, doctest::Contains("AX132"), OutputError);
  CHECK_THROWS_WITH_AS(AtomicFile{""}, doctest::Contains("empty"), OutputError);
  CHECK_THROWS_AS(AtomicFile((dir / std::string(300, 'n')).string()), OutputError);
  test::write_text(dir / "file", "");
  CHECK_THROWS_WITH_AS(AtomicFile((dir / "file/out").string()),
                       doctest::Contains("Not a directory"), OutputError);
  try {
    AtomicFile file((dir / "no/out").string());
  } catch (const Error& error) {
    CHECK(error.exit_code() == 4);
    CHECK(error.id() == 131);
  }
}

TEST_CASE("an unwritable folder and a read-only file") {
  const test::ScratchDir dir;
  fs::permissions(dir.path(), fs::perms{0755});
  test::write_text(dir / "file", "old");
  fs::permissions(dir / "file", fs::perms{0444});
  fs::create_directory(dir / "locked");
  fs::permissions(dir / "locked", fs::perms{0555});
  const auto denied = [&](const char* name) {
    try {
      write_file((dir / name).string(), "x", true);
    } catch (const OutputError& error) {
      return std::string(error.what()).find("Permission denied") != std::string::npos;
    }
    return false;
  };
  // Root may write everywhere, so a child without that right looks.
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
    _exit(denied("file") && denied("locked/file") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  fs::permissions(dir / "locked", fs::perms{0755});
}

TEST_CASE("devices are written directly, and a full one reports it") {
  CHECK_NOTHROW(write_file("/dev/null", "x"));
  CHECK(fs::is_character_file("/dev/null"));
  CHECK_THROWS_WITH_AS(write_file("/dev/full", "x"), doctest::Contains("No space left on device"),
                       OutputError);
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("an open descriptor is continued where it stands: pipe, redirected and appended file") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  write_file("/dev/fd/" + std::to_string(ends[1]), "through a pipe");
  char buffer[64] = {};
  CHECK(read(ends[0], buffer, sizeof buffer - 1) == 14);
  CHECK(std::string(buffer) == "through a pipe");
  close(ends[0]);
  close(ends[1]);

  const test::ScratchDir dir;
  test::write_text(dir / "log", "before ");
  const int fd = open((dir / "log").c_str(), O_WRONLY | O_APPEND);
  REQUIRE(fd >= 0);
  write_file("/proc/self/fd/" + std::to_string(fd), "after");
  close(fd);
  CHECK(test::read_text(dir / "log") == "before after");
  CHECK(entries(dir.path()) == 1);
  CHECK_THROWS_AS(write_file("/dev/fd/987", "x"), OutputError);
}

TEST_CASE("kill -9 while writing leaves nothing under the final name") {
  const test::ScratchDir dir;
  const std::string target = (dir / "out").string();
  const pid_t child = fork();
  if (child == 0) {
    AtomicFile file(target);
    file.write(std::string(100000, 'x'));
    kill(getpid(), SIGKILL);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(!fs::exists(target));
}
