// TOML whose characters stand where white space may stand: read, or refused with a sentence.
#include "config/toml_file.hpp"
#include "unit/config/config_world.hpp"

namespace culvert::test {
namespace {

/// A character of three bytes at most.
std::string utf8(unsigned number) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (number < 0x800) {
    return {byte(0xc0U | number >> 6U), byte(0x80U | (number & 0x3fU))};
  }
  return {byte(0xe0U | number >> 12U), byte(0x80U | (number >> 6U & 0x3fU)),
          byte(0x80U | (number & 0x3fU))};
}

class TomlTest : public testing::Test {
protected:
  TomlFile read(const std::string &text) {
    world.write("t.toml", text);
    return read_toml_file(world.folder + "/t.toml");
  }
  ConfigWorld world;
};

TEST_F(TomlTest, ACharacterOutsideOfATextIsRefusedWhereverItStands) {
  for (const unsigned number : {0xe4U, 0xfcU, 0x416U, 0x2c5fU, 0x3042U, 0xfbbfU, 0xfdfdU}) {
    const std::string letter = utf8(number);
    for (const std::string &text :
         {letter + " = 1\n", "a" + letter + " = 1\n", "a = " + letter + "\n",
          "a = 1" + letter + "\n", "a = [" + letter + "]\n", "a = [1" + letter + "]\n",
          "[" + letter + "]\n", "[a" + letter + "]\n", "a = {" + letter + "}\n",
          "a = true" + letter + "\n"}) {
      const TomlFile file = read(text);
      ASSERT_EQ(file.mistakes.size(), 1U) << text;
      EXPECT_NE(file.mistakes[0].status.message.find("this is no TOML: "), std::string::npos)
          << text;
    }
  }
}

/// Behind a line that ends with a backslash white space is left out, and nothing else.
TEST_F(TomlTest, EveryCharacterOfATextIsReadAsItIsOrLeftOutAsWhiteSpace) {
  constexpr unsigned kFirst = 0xa0;
  std::vector<unsigned> numbers;
  for (unsigned number = kFirst; number <= 0xffff; ++number) {
    if (number < 0xd800 || number > 0xdfff) {
      numbers.push_back(number);
    }
  }
  std::string text = "a = [";
  for (const unsigned number : numbers) {
    text += "\"\"\"\\\n" + utf8(number) + "\"\"\",";
  }
  const TomlFile file = read(text + "]\n");
  ASSERT_TRUE(file.mistakes.empty()) << file.mistakes[0].status.message;
  const Written::List &list = *file.table.at(0).value.list();
  ASSERT_EQ(list.size(), numbers.size());
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    left_out += list[i].text()->empty() ? 1 : 0;
    EXPECT_TRUE(list[i].text()->empty() || *list[i].text() == utf8(numbers[i])) << numbers[i];
  }
  EXPECT_GT(left_out, 0U);
  EXPECT_LT(left_out, 50U);
}

} // namespace
} // namespace culvert::test
